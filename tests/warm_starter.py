"""Hands a start over to the warm server, and passes on the signals that it gets and the status that comes back.

`warm_start` puts it into a folder under the name of each program, so that it is started again and again: it imports
only what is built in.
"""

import _signal
import posix
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET, socket

UNDERSTOOD = {b"PYTHONDONTWRITEBYTECODE", b"PYTHONPATH", b"PYTHONUNBUFFERED", b"PYTHONWARNINGS"}
"""Variables of Python that the server can heed; with any other of them the program itself is started."""
PASSED_ON = {_signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT, _signal.SIGTERM, _signal.SIGUSR1, _signal.SIGUSR2}
NO_STATUS = 255
LOOK_AGAIN_SECONDS = 0.5


def is_understood(name: str) -> bool:
    """Return whether the server can start it as it would start by itself."""
    first = sys.argv[1] if len(sys.argv) > 1 else "-"
    if name == "python" and first.startswith("-") and first not in {"-c", "-m"}:
        return False
    return not any(variable.startswith(b"PYTHON") and variable not in UNDERSTOOD for variable in posix.environ)


def ended(channel: socket) -> int:
    """Return the status of the program once it has ended.

    A signal that comes just before the wait begins is passed on only when the wait is interrupted.
    """
    channel.settimeout(LOOK_AGAIN_SECONDS)
    while True:
        try:
            return int(channel.recv(16) or NO_STATUS)
        except TimeoutError:
            continue


def main() -> None:
    """Start the program of this file's name, and end as it ends."""
    folder, _, name = sys.argv[0].rpartition("/")
    if not is_understood(name):
        program = f"{sys.executable.rpartition('/')[0]}/{name}"
        posix.execv(program, [program, *sys.argv[1:]])
    channel = socket(AF_UNIX, SOCK_STREAM)
    channel.connect(f"{folder}/{name}.socket")
    _signal.pthread_sigmask(_signal.SIG_BLOCK, PASSED_ON)
    words = [argument.encode(sys.getfilesystemencoding(), "surrogateescape") for argument in (name, *sys.argv[1:])]
    variables = [variable + b"=" + value for variable, value in posix.environ.items()]
    order = b"\0".join([posix.getcwdb(), b"%d" % len(words), *words, *variables])
    standard = b"".join(descriptor.to_bytes(4, sys.byteorder) for descriptor in range(3))
    channel.sendmsg([len(order).to_bytes(4, "big")], [(SOL_SOCKET, SCM_RIGHTS, standard)])
    channel.sendall(order)
    posix.closerange(0, 3)
    pid = int(channel.recv(16) or 0)
    if pid:
        for number in PASSED_ON:
            _signal.signal(number, lambda received, _: posix.kill(pid, received))
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, PASSED_ON)
    status = ended(channel)
    if status < 0:
        if -status != _signal.SIGKILL:
            _signal.signal(-status, _signal.SIG_DFL)
        posix.kill(posix.getpid(), -status)
    posix._exit(status)


main()
