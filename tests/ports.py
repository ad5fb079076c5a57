"""A port for a server that must know it before it starts."""

import random
import socket

_CHANCE = random.SystemRandom()
_OURS = range(20_000, 32_000)
"""Below the ports that systems give out by themselves: nobody else gets one in the meantime."""


def free_port() -> int:
    """A port that is free now, and that the system gives to nobody who does not ask for it."""
    while True:
        port = _CHANCE.choice(_OURS)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
