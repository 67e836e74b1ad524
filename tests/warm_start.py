"""A folder with all programs of this environment, which start in a moment: a warm server forks them.

    subprocess.run([BIN / "target-exactonline", "--config", path], ...)      as a program is started anywhere
    subprocess.run([BIN / "python", "-c", text], ...)                        our packages are imported already
    subprocess.run([REAL / "target-exactonline", ...])                       where the start itself matters

The server is started by the first process that asks, and shared with all that this one starts. It ends with it.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from warm_server import PROGRAMS

HERE = Path(__file__).parent
SHARED = "WARM_PROGRAMS"
"""Variable that tells processes below this one where the programs are."""
REAL = Path(sys.executable).parent
ANSWER_BYTES = 16


def _begin() -> Path:
    """Start a server; the folder with its programs."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    starter = folder / "starter"
    text = (HERE / "warm_starter.py").read_text(encoding="utf-8")
    starter.write_text(f"#!{sys.executable} -IS\n{text}", encoding="utf-8")
    starter.chmod(0o700)
    for programs in PROGRAMS.values():
        for name in programs:
            (folder / name).symlink_to(starter.name)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell leaves it so that starts tests in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    server = subprocess.Popen(
        [sys.executable, str(HERE / "warm_server.py"), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "listening\n"
    atexit.register(_end, server)
    os.environ[SHARED] = str(folder)
    return folder


def _end(server: subprocess.Popen[str]) -> None:
    """Wait until the server has ended, so that what all those programs took counts as this process's children's."""
    server.communicate()


def order(words: Sequence[str], streams: Sequence[int]) -> socket.socket:
    """Let the server start a program here; it tells first the pid of the program, and in the end its status.

    Closing the socket kills the program.
    """
    variables = [f"{name}={value}" for name, value in os.environ.items()]
    message = b"\0".join(map(os.fsencode, [Path.cwd(), str(len(words)), *words, *variables]))
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(str(BIN / f"{words[0]}.socket"))
    socket.send_fds(channel, [len(message).to_bytes(4, "big")], list(streams))
    channel.sendall(message)
    return channel


BIN = Path(os.environ.get(SHARED) or _begin())
