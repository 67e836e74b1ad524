"""Lines of the input as Singer messages, or what is wrong with them in one line that does not repeat them.

A line may hold personal data, so no complaint shows its text.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import IO, Any, cast

import msgspec
from mapper_exactonline.shapes import what_is_wrong
from singer_sdk.contrib.msgspec import MsgSpecReader, decoder
from singer_sdk.exceptions import InvalidInputLine

BYTE_ORDER_MARK = "\ufeff"
NO_BATCH = "is a BATCH message, which this target does not take; take batch_config out of the tap's settings"


class MessageReader(MsgSpecReader):
    """Reads messages, each of the shape that its type asks for."""

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Hand each message to the callback for its type, and count them. Blank lines are passed over."""
        lines = _whole_lines(file_input or self.default_input)
        return super().process_lines(cast("IO[str]", lines), callbacks)

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """The message in a line, numbers with a decimal point as Decimal.

        Raises:
            InvalidInputLine: It is no message.
        """
        message = _decoded(line)
        if not isinstance(message, dict) or "type" not in message:
            raise InvalidInputLine("A line of the input is not a Singer message.")
        if wrong := NO_BATCH if message["type"] == "BATCH" else what_is_wrong(message):
            raise InvalidInputLine(f"A line of the input {wrong}.")
        return message


def _whole_lines(lines: Iterable[str]) -> Iterator[str]:
    try:
        for line in lines:
            line = line.removeprefix(BYTE_ORDER_MARK)  # noqa: PLW2901
            if line and not line.isspace():
                yield line
    except UnicodeDecodeError:
        raise InvalidInputLine("A line of the input is not whole: it is not in UTF-8.") from None


def _decoded(line: str) -> Any:
    try:
        return decoder.decode(line)
    except UnicodeEncodeError:
        raise InvalidInputLine("A line of the input is not whole: it is not in UTF-8.") from None
    except RecursionError:
        raise InvalidInputLine("A line of the input is nested too deeply.") from None
    except msgspec.DecodeError as error:
        message = _leniently_decoded(line)
        if not isinstance(message, dict) or message.get("type") != "RECORD":
            raise InvalidInputLine(f"A line of the input is not whole: {error}.") from None
        return message


def _leniently_decoded(line: str) -> Any:
    """What Python's own writer makes of numbers that are none, and of halves of characters: for a record to show."""
    try:
        return json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
