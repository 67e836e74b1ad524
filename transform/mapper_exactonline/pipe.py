"""Lines in, lines out: whole messages, in order, as fast as the neighbours allow.

Nothing is held back while the source is silent: before each wait for input, what is pending goes out. A stop signal is
obeyed between two lines, or at once while waiting, so that no message is cut in half and no STATE goes out before the
copies of the records that it covers.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol, cast

import msgspec
from singer_sdk.contrib.msgspec import decoder, encoder
from singer_sdk.exceptions import InvalidInputLine
from singer_sdk.singerlib.encoding.base import GenericSingerReader, GenericSingerWriter
from singer_sdk.singerlib.messages import Message

from mapper_exactonline.shapes import what_is_wrong

logger = logging.getLogger(__name__)

READ_BYTES: Final = 65_536  # a pipe of Linux holds this much
PENDING_BYTES: Final = 1_048_576


class Binary(Protocol):
    """What can hand over the bytes that are there, without waiting for more."""

    def read1(self, size: int, /) -> bytes:
        """At least one byte, at most `size`; none at the end of input."""


@dataclass(slots=True, repr=False)
class Verbatim(Message):
    """A message that is its own JSON object, so that nothing in it is lost or respelt."""

    content: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The object itself."""
        return self.content


class LineWriter(GenericSingerWriter[bytearray, Message]):
    """Collects messages and passes them on together."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def serialize_message(self, message: Message) -> bytearray:
        """The message as one line, without its end."""
        line = bytearray()
        encoder.encode_into(message.to_dict(), line)
        return line

    def write_message(self, message: Message) -> None:
        """Take a message; what is not a RECORD goes out at once, with all before it."""
        content = message.to_dict()
        encoder.encode_into(content, self._pending, -1)
        self._pending += b"\n"
        if content["type"] != "RECORD" or len(self._pending) > PENDING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Pass on all that is pending."""
        out = sys.stdout.buffer
        rest = bytes(self._pending)
        self._pending.clear()
        while rest:  # an unbuffered stdout (PYTHONUNBUFFERED) takes only a part when a signal comes in between
            rest = rest[out.write(rest) :]
        out.flush()


class LineReader(GenericSingerReader[bytes]):
    """Reads messages until the input ends or `stop` is called."""

    def __init__(self, before_wait: Callable[[], None]) -> None:
        super().__init__()
        self._before_wait = before_wait
        self._waiting = False
        self._stop_status: int | None = None
        self._line_number = 0

    @property
    def default_input(self) -> IO[bytes]:
        """Standard input."""
        return sys.stdin.buffer

    def stop(self, status: int) -> None:
        """Leave the process with this status: at once while waiting, else after the line at hand.

        A second call does not wait for the line at hand.
        """
        if self._waiting or self._stop_status is not None:
            raise SystemExit(status)
        self._stop_status = status

    def process_lines(
        self, file_input: IO[bytes] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Hand each message to the callback for its type, and count them.

        Raises:
            SystemExit: `stop` was called.
        """
        source = file_input or self.default_input
        binary = cast("Binary", getattr(source, "buffer", source))
        return super().process_lines(cast("IO[bytes]", self._lines(binary)), callbacks)

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """The message in a line; floats as Decimal, so that each digit survives.

        Raises:
            InvalidInputLine: It is no message. Its text is not repeated, since it may hold personal data.
        """
        try:
            message = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise InvalidInputLine(f"Line {self._line_number} of the input is not whole: {error}.") from error
        if not isinstance(message, dict) or "type" not in message:
            raise InvalidInputLine(f"Line {self._line_number} of the input is not a Singer message.")
        if wrong := what_is_wrong(message):
            raise InvalidInputLine(f"Line {self._line_number} of the input {wrong}.")
        return message

    def _lines(self, source: Binary) -> Iterator[bytes]:
        started: list[bytes] = []
        while chunk := self._next_chunk(source):
            *whole, rest = chunk.split(b"\n")
            if whole:
                whole[0] = b"".join([*started, whole[0]])
                started = []
            started.append(rest)
            yield from self._until_stopped(whole)
        yield from self._until_stopped([b"".join(started)])

    def _next_chunk(self, source: Binary) -> bytes:
        self._before_wait()
        self._waiting = True
        if self._stop_status is not None:
            raise SystemExit(self._stop_status)
        chunk = source.read1(READ_BYTES)
        self._waiting = False
        return chunk

    def _until_stopped(self, lines: list[bytes]) -> Iterator[bytes]:
        for line in lines:
            if self._stop_status is not None:
                self._before_wait()
                raise SystemExit(self._stop_status)
            self._line_number += 1
            if line and not line.isspace():
                yield line
