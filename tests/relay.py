"""A relay on loopback between a client and a server, whose cable the test cuts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """`manner` is how it behaves: "open", "refuse" connections, or "swallow" what is said.

    With "lose the request" or "lose the answer", the connection that says `word` next is cut
    before or after the server has heard it.
    """

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.manner = "open"
        self.word = b"COMMIT"
        self.then = "open"
        """Its manner after it has lost something."""
        self.lost = 0
        self._pairs = list[tuple[socket.socket, socket.socket]]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    @contextmanager
    def running(self) -> Iterator["Relay"]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            _end(self._listener)
            for pair in self._pairs:
                for side in pair:
                    _end(side)

    def cut(self) -> None:
        """Every connection ends, on both sides."""
        for pair in self._pairs:
            for side in pair:
                _shut(side)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.manner == "refuse":
                client.close()
                continue
            try:
                server = socket.create_connection(self.server)
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self.word in data and self.manner.startswith("lose"):
                    heard = self.manner == "lose the answer"
                    self.manner = self.then
                    self.lost += 1
                    _shut(client)
                    if heard:
                        server.sendall(data)
                    if self.then == "refuse":
                        self.cut()  # the others, too: nobody can be asked
                    break
                if self.manner != "swallow":
                    server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if self.manner != "swallow":
                    client.sendall(data)
        _shut(client)


def _shut(side: socket.socket) -> None:
    with suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)


def _end(side: socket.socket) -> None:
    _shut(side)
    side.close()
