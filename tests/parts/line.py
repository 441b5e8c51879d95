"""A line to a server that fails when it is told to: a relay of bytes on loopback, which reads what passes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Line:
    """`fails` is asked with each block of bytes on its way to the server; once it says yes, the line is dead."""

    def __init__(self, to: int) -> None:
        self._to, self._server = to, socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.fails: Callable[[bytes], bool] = lambda block: False
        self.is_dead = False
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        self.is_dead, self.fails = False, lambda block: False

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self.is_dead:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_asked: bool) -> None:
        with suppress(OSError):
            while block := source.recv(65_536):
                if self.is_dead or (is_asked and self.fails(block)):
                    self.is_dead = True
                    break
                target.sendall(block)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    line = Line(port)
    try:
        yield line
    finally:
        line.close()
