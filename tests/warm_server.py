"""Forks programs from a process that has imported them: 30 milliseconds each, in place of 2 to 5 seconds.

    python tests/warm_server.py FOLDER

It listens in FOLDER, once for our own programs and once for Meltano, and imports them when the first of them is asked
for. A program that it forks is a process of its own, with the standard streams, the arguments, the environment and the
folder of whoever asks, with the signal handlers of a new interpreter, and with an end of its own. Who asks gets its pid
and, in the end, its status; when that one dies, the program is killed. All ends when the standard input does.
"""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import io
import os
import random
import runpy
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

PYTHON = "python"
PROGRAMS = {
    "ours": (
        "exactonline",
        "exactonline-console",
        "exactonline-probe",
        "mapper-exactonline",
        "tap-exactonline",
        "target-exactonline",
        "target-exactonline-store",
        PYTHON,
    ),
    "sandbox": ("exactonline-sandbox",),
    "meltano": ("meltano",),
}
"""Families of programs; each has a process that forks it."""
SQL = ("alembic.command", "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlite3")
IMPORTED_LATE = {
    "ours": (*SQL, "httpcore", *(f"keyring.backends.{name}" for name in ("SecretService", "chainer", "kwallet"))),
    "sandbox": ("sqlite3",),
    "meltano": (*SQL, "anyio.to_thread"),
}
"""What programs import only once they run."""


@dataclass(frozen=True)
class Order:
    """What is to be started, for whom."""

    words: list[str]
    environment: dict[str, str]
    folder: str
    streams: list[int]

    @classmethod
    def read(cls, channel: socket.socket) -> Order | None:
        """The order that somebody sends, or None if that one is no longer there."""
        size, streams, _, _ = socket.recv_fds(channel, 4, 3)
        message = b""
        while len(message) < int.from_bytes(size, "big"):
            if not (part := channel.recv(1 << 20)):
                break
            message += part
        if not message or len(streams) != 3:
            return None
        folder, count, *rest = map(os.fsdecode, message.split(b"\0"))
        pairs = (pair.partition("=") for pair in rest[int(count) :])
        return cls(rest[: int(count)], {name: value for name, _, value in pairs}, folder, list(streams))


class Server:
    """Listens on a socket, forks for each order, and reports how each program ends."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._channels: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._ended, self._wake = os.pipe()
        os.set_blocking(self._ended, False)
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for source in (listening, self._ended, 0):
            self._selector.register(source, selectors.EVENT_READ)

    def next_order(self) -> Order | None:
        """In a new process: the order that it is there for. In the server: None, once nobody asks any more."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    self._end_all()
                    return None
                if key.fileobj is self._listening:
                    order = self._fork()
                    if order is not None:
                        return order
                elif key.fileobj == self._ended:
                    self._report()
                elif isinstance(key.fileobj, socket.socket) and key.data in self._channels:
                    os.kill(key.data, signal.SIGKILL)
                    self._selector.unregister(key.fileobj)

    def _fork(self) -> Order | None:
        channel, _ = self._listening.accept()
        order = Order.read(channel)
        if order is None:
            channel.close()
            return None
        pid = os.fork()
        if pid == 0:
            channel.close()
            self._leave()
            return order
        for descriptor in order.streams:
            os.close(descriptor)
        self._channels[pid] = channel
        self._selector.register(channel, selectors.EVENT_READ, pid)
        _send(channel, pid)
        return None

    def _report(self) -> None:
        while True:
            try:
                os.read(self._ended, 4096)
            except BlockingIOError:
                break
        while self._channels:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            channel = self._channels.pop(pid)
            if channel in self._selector.get_map():
                self._selector.unregister(channel)
            _send(channel, os.waitstatus_to_exitcode(status))
            channel.close()

    def _leave(self) -> None:
        """Close, in a new process, what is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        self._listening.close()
        for channel in self._channels.values():
            channel.close()
        for descriptor in (self._ended, self._wake):
            os.close(descriptor)

    def _end_all(self) -> None:
        for pid in self._channels:
            os.kill(pid, signal.SIGKILL)
        wait_for_all()


def wait_for_all() -> None:
    """Wait until every process that this one forked has ended."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _send(channel: socket.socket, number: int) -> None:
    try:
        channel.send(b"%-16d" % number)
    except OSError as error:
        if error.errno not in {errno.EPIPE, errno.ECONNRESET}:
            raise


def become(order: Order) -> None:
    """Make this process look as if it had just been started by whoever gave the order."""
    os.setsid()
    for standard, descriptor in enumerate(order.streams):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order.environment)
    os.chdir(order.folder)
    time.tzset()
    random.seed()
    open_streams(unbuffered=bool(order.environment.get("PYTHONUNBUFFERED")))
    warnings._processoptions([one for one in order.environment.get("PYTHONWARNINGS", "").split(",") if one])
    sys.path[:0] = [path for path in order.environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.argv = [order.words[0], *order.words[1:]]


def open_streams(*, unbuffered: bool) -> None:
    """Open the standard streams as an interpreter does when it starts."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        raw = io.FileIO(descriptor, "r" if name == "stdin" else "w", closefd=False)
        raw.name = f"<{name}>"
        buffered = io.BufferedReader(raw) if name == "stdin" else io.BufferedWriter(raw)
        first = getattr(sys, f"__{name}__")
        stream = io.TextIOWrapper(
            buffered,
            encoding=first.encoding,
            errors=first.errors,
            line_buffering=name == "stderr" or raw.isatty(),
            write_through=unbuffered,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def run(order: Order) -> None:
    """Run the program of an order, as its own file in `bin` does."""
    name, *arguments = order.words
    if name != PYTHON:
        (script,) = entry_points(group="console_scripts", name=name)
        sys.exit(script.load()())
    option, *rest = arguments
    if option == "-c":
        sys.path.insert(0, "")
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102
    elif option == "-m":
        sys.path.insert(0, order.folder)
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(option).resolve().parent))
        sys.argv = arguments
        runpy.run_path(option, run_name="__main__")


def run_to_its_end(order: Order) -> None:
    """Run a program and end this process as an interpreter does, but for taking all its modules apart.

    That takes most of the time of a short program. Where an interpreter has something to say at the end, it is left to.
    """
    status: int | str | None = 0
    try:
        run(order)
    except SystemExit as end:
        status = end.code
        if status is not None and not isinstance(status, int):
            raise
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(status)
    os._exit((status or 0) & 0xFF)


def preload(family: str) -> None:
    """Import the programs of a family."""
    for name in PROGRAMS[family]:
        for script in entry_points(group="console_scripts", name=name):
            importlib.import_module(script.module)  # the SDK sets up its log where `cli` is looked at
    for module in IMPORTED_LATE[family]:
        importlib.import_module(module)
    assert threading.active_count() == 1, threading.enumerate()
    gc.collect()
    gc.freeze()


def serve(family: str, listening: socket.socket, folder: Path) -> None:
    """Import a family and fork its programs; returns in each of them, run to its end, and in the end in the server."""
    preload(family)
    sys.executable = str(folder / PYTHON)  # what a program starts beside itself is warm too
    order = Server(listening).next_order()
    if order is not None:
        become(order)
        run_to_its_end(order)


def main(folder: Path) -> None:
    """Listen for both families; the first order for one makes a process that imports it."""
    sys.path.pop(0)
    waiting: dict[str, socket.socket] = {}
    for family, names in PROGRAMS.items():
        waiting[family] = socket.socket(socket.AF_UNIX)
        waiting[family].bind(str(folder / f"{family}.family"))
        waiting[family].listen(128)
        for name in names:
            (folder / f"{name}.socket").symlink_to(f"{family}.family")
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    while True:
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            for family, listening in waiting.items():
                selector.register(listening, selectors.EVENT_READ, family)
            found = [key.data for key, _ in selector.select()]
        for family in found:
            if family is None:
                wait_for_all()
                shutil.rmtree(folder, ignore_errors=True)
                return
            with waiting.pop(family) as listening:
                if os.fork() == 0:
                    for other in waiting.values():
                        other.close()
                    serve(family, listening, folder)
                    return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
