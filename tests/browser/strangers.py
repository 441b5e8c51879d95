"""A page of somebody else's, open in the browser of the machine that serves: what it tries, and what it got."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# All that a page can do without the user's help. Answers what it could read, opened or show.
TRIES = """
async ([target, paths, body]) => {
  const got = [];
  const attempt = async (what, doing) => {
    try {
      const found = await Promise.race([doing(), new Promise((_, no) => setTimeout(() => no("silence"), 30000))]);
      if (found) got.push(`${what}: ${found}`);
    } catch (refused) { /* as it should be */ }
  };
  const readable = async (answer) =>
    answer.type === "opaque" ? "" : `${answer.status} ${(await answer.text()).slice(0, 80)}`;
  for (const path of paths) {
    const address = target + path;
    for (const method of ["GET", "POST", "PATCH", "PUT", "DELETE"]) {
      const content = method === "GET" ? {} : { body, headers: { "content-type": "application/json" } };
      await attempt(`${method} ${path}`, async () => readable(await fetch(address, { method, ...content })));
      await attempt(`${method} ${path} with cookies`, async () =>
        readable(await fetch(address, { method, ...content, credentials: "include" })));
    }
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      const content = { method: "POST", mode: "no-cors", body, headers: { "content-type": type } };
      await attempt(`simple POST ${path}`, async () => readable(await fetch(address, content)));
    }
    await attempt(`beacon ${path}`, async () => { navigator.sendBeacon(address, body); return ""; });
    for (const protocols of [[], ["prefect"]])
      await attempt(`socket ${path}`, () => new Promise((yes, no) => {
        const socket = new WebSocket(address.replace("http", "ws"), protocols);
        socket.onopen = () => yes("open");
        socket.onerror = no;
      }));
    await attempt(`script ${path}`, () => new Promise((yes, no) => {
      const script = document.createElement("script");
      script.onload = () => yes("loaded");
      script.onerror = no;
      script.src = address;
      document.head.append(script);
    }));
  }
  return got;
}
"""
FRAME = """
(address) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.onload = () => done();
  frame.src = address;
  document.body.append(frame);
})
"""
PAGE = b"<!doctype html><title>Elsewhere</title><link rel=icon href=data:,><body>Nothing to see"


class _Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: Any) -> None:
        pass


class _Open(_Elsewhere):
    """As careless as a server can be: the tries have to work on it, or they show nothing."""

    def answer(self) -> None:
        self.send_response(200)
        self.send_header("access-control-allow-origin", "*")
        for allowed in ("headers", "methods"):
            self.send_header(f"access-control-allow-{allowed}", "content-type" if allowed == "headers" else "*")
        self.send_header("content-type", "text/javascript")
        self.send_header("content-length", "0")
        self.end_headers()
        self.rfile.read(int(self.headers.get("content-length", 0)))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = answer  # noqa: N815


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def elsewhere() -> Any:
    """The port of somebody else's pages, while the context lasts."""
    return _served(_Elsewhere)


def open_server() -> Any:
    """The port of a server that answers everybody."""
    return _served(_Open)
