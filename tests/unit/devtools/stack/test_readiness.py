"""Readiness: every service answers for itself, on real sockets."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import BaseRequestHandler, TCPServer

import pytest
from devtools.errors import DevError
from devtools.stack import readiness
from devtools.stack.ports import Port

READY = {"checks": {"temporal": {"ok": True, "detail": "polls"}}}
NOT_READY = {"checks": {"redis": {"ok": False, "detail": "refused"}, "temporal": {"ok": True, "detail": "polls"}}}


@contextmanager
def _served(server: TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _http(*answers: tuple[int, object]) -> Iterator[int]:
    """Answers readiness with each of these in turn, then with the last again and again."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = left.pop(0) if len(left) > 1 else left[0]
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status if self.path == "/readyz" else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _served(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextmanager
def _redis(answer: bytes) -> Iterator[int]:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(64) == b"PING\r\n":
                self.request.sendall(answer)

    with _served(TCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses worth mentioning."""
    monkeypatch.setattr(readiness, "_INTERVAL_SECONDS", 0.01)


def test_stack_is_ready_when_every_service_is() -> None:
    with _http((503, NOT_READY), (503, NOT_READY), (200, READY)) as http, _redis(b"+PONG\r\n") as redis:
        ports = [
            Port("workflow-worker", "health", http),
            Port("redis", "client", redis),
            Port("temporal", "grpc", redis),
        ]

        readiness.wait_ready(ports, lambda: None)


def test_waiting_ends_when_there_is_nothing_to_wait_for() -> None:
    with _http((503, NOT_READY)) as http, pytest.raises(DevError, match="workflow-worker has ended 3 times"):
        readiness.wait_ready([Port("workflow-worker", "health", http)], lambda: "workflow-worker has ended 3 times")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((503, NOT_READY), r"workflow-worker: answers 503 \(redis: refused\)$"),
        ((503, "not json"), r"workflow-worker: answers 503$"),
        ((500, ["list"]), r"workflow-worker: answers 500$"),
    ],
)
def test_deadline_says_what_is_missing(
    answer: tuple[int, object], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "DEADLINE_SECONDS", 0.0)

    with _http(answer) as http, pytest.raises(DevError, match=reason):
        readiness.wait_ready([Port("workflow-worker", "health", http)], lambda: None)


def test_redis_that_is_still_loading_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "DEADLINE_SECONDS", 0.0)

    with _redis(b"-LOADING\r\n") as redis, pytest.raises(DevError, match=r"redis: answered b'-LOADING"):
        readiness.wait_ready([Port("redis", "client", redis)], lambda: None)


def test_closed_port_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "DEADLINE_SECONDS", 0.0)
    with _redis(b"") as port:
        pass

    with pytest.raises(DevError, match=rf"temporal: port {port}: .*refused"):
        readiness.wait_ready([Port("temporal", "grpc", port)], lambda: None)


def test_body_that_is_no_json_is_none() -> None:
    with _http((200, "fine")) as port:
        assert readiness.get_json(port, "/readyz") == (200, None)
