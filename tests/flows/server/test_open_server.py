"""A configured Prefect server that answers everybody is warned of, where that is certain; no other is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.server.open_server import answers_everybody
from flows.server.processes import free_port


@contextmanager
def answering(status: int) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("status", "is_open"), [(200, True), (401, False), (403, False), (404, False), (500, False)])
def test_only_an_answer_without_a_key_is_certain(status: int, is_open: bool) -> None:
    with answering(status) as api_url:
        assert answers_everybody(api_url) == is_open


def test_silence_is_no_answer() -> None:
    assert not answers_everybody(f"http://127.0.0.1:{free_port()}/api")
    assert not answers_everybody("nonsense")
