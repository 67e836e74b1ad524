"""Starts taps and targets by forking a process that has imported them already: two seconds less for each.

Each is a process of its own, with its own pipes, signals and end; only its imports were done before. The program beside
this file starts some runs without it, so that start-up is tried as well. An order is one message over a socket: JSON
with plugin and arguments, and the file descriptors of stdin, stdout, stderr and of a pipe that tells pid and status.
"""

import json
import os
import signal
import socket
import sys
from typing import Any

from tap_exactonline.tap import TapExactOnline
from target_exactonline.target import TargetExactOnline

PLUGINS = {"tap-exactonline": TapExactOnline, "target-exactonline": TargetExactOnline}
LONGEST_ORDER = 65_536
DESCRIPTORS = 4


def next_order(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """In a new process: the order it is there for. In the one that forks: None, once nobody orders any more."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, LONGEST_ORDER, DESCRIPTORS)
        if not message:
            return None
        if os.fork() == 0:
            return json.loads(message), descriptors
        for descriptor in descriptors:
            os.close(descriptor)


def watch(told: int) -> None:
    """Fork once more; only the child comes back. The parent tells its pid and, in the end, its status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(told)
        return
    for standard in range(3):
        os.close(standard)
    os.write(told, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def take_over(given: list[int]) -> None:
    """Make these the standard input, output and error."""
    for standard, descriptor in enumerate(given):
        os.dup2(descriptor, standard)
        os.close(descriptor)


def open_streams() -> None:
    """Open the standard streams anew, as an interpreter does when it starts."""
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115


def main() -> None:
    """Wait for orders; a process forked for one becomes its plugin."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the watchers are nobody's to wait for
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        order = next_order(channel)
    if order is None:
        return
    wishes, descriptors = order
    take_over(descriptors[:3])
    watch(descriptors[3])
    open_streams()
    sys.argv = [wishes["plugin"], *wishes["arguments"]]
    PLUGINS[wishes["plugin"]].cli()


if __name__ == "__main__":
    main()
