"""What a test starts in place of `python -m hailuo_mcp`: asks tests/warm.py for a process.

    python -I -S tests/warm_start.py SOCKET [ARGUMENT…]

It hands over its own streams, environment and folder, passes signals on, and ends as the process
ends. It imports next to nothing: starting it must cost nothing beside a start of the program.
"""

import _signal
import _socket
import os
import sys

PASSED_ON = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP)


def main() -> int:
    path, *argv = sys.argv[1:]
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(path)
    environ = [name + b"=" + value for name, value in os.environb.items()]
    parts = [os.getcwdb(), b"%d" % len(argv), *map(os.fsencode, argv), *environ]  # noqa: PTH109  # not pathlib
    request = b"\0".join(parts)
    streams = b"".join(fd.to_bytes(4, sys.byteorder) for fd in (0, 1, 2))
    for number in PASSED_ON:
        _signal.signal(number, lambda number, _frame: server.send(bytes([number])))
    server.sendmsg(
        [len(request).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
    )
    while request:
        request = request[server.send(request) :]
    for fd in (0, 1, 2):  # the other end must see when the process closes its own
        os.close(fd)
    status = int.from_bytes(server.recv(4), "big", signed=True)
    if status < 0:  # as the process was killed, so is this one
        _signal.signal(-status, _signal.SIG_DFL) if -status != _signal.SIGKILL else None
        os.kill(os.getpid(), -status)
    return status


os._exit(main())
