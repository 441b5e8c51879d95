"""A mail server and a webhook on loopback that keep what they are sent."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    port: int = 0
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@dataclass
class Mailbox:
    port: int = 0
    refuses: bool = False
    recipients: list[str] = field(default_factory=list)
    received: list[EmailMessage] = field(default_factory=list)

    def text(self, position: int = 0) -> str:
        body = self.received[position].get_body(("plain", "html"))
        assert body is not None
        return str(body.get_content())


@contextmanager
def webhook(status: int = 200) -> Iterator[Webhook]:
    sink = Webhook(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sink.paths.append(self.path)
            sink.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(sink.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as sink.port:
        yield sink


@contextmanager
def mailbox(refuses: bool = False) -> Iterator[Mailbox]:
    """Just enough of RFC 5321 for one message after the other."""
    sink = Mailbox(refuses=refuses)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 sink")
            while line := self.rfile.readline():
                verb = line.decode().upper().split()[0] if line.strip() else ""
                if verb == "RCPT":
                    sink.recipients.append(line.decode().partition("<")[2].partition(">")[0])
                    self.say("550 no such mailbox" if sink.refuses else "250 ok")
                elif verb == "DATA":
                    self.say("354 go on")
                    sink.received.append(email.message_from_bytes(self.data(), policy=email.policy.default))
                    self.say("250 kept")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

        def data(self) -> bytes:
            lines: list[bytes] = []
            while (line := self.rfile.readline()).rstrip(b"\r\n") != b".":
                lines.append(line[1:] if line.startswith(b"..") else line)
            return b"".join(lines)

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as sink.port:
        yield sink


@contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[int]:
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
