"""The server that `./dev explain`, `retry` and `dlq` ask, when it is another or none."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from devtools import __main__ as command_line
from devtools.api import find_api
from devtools.errors import MistakeError


@contextmanager
def answering(body: bytes, status: int = 200, *, raw: bool = False) -> Iterator[tuple[str, list[Any]]]:
    """Address of a server that gives everybody one answer, with the headers it was asked with."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers)
            if not raw:
                self.send_response(status)
                self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "server",
    ["localhost:8080", "ftp://host", "http://", "http://:80", "http://[::1", "http://host:port", "http://host:99999"],
)
def test_what_is_no_address_is_a_mistake(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["dlq", "list", "--server", server]) == 2
    assert capsys.readouterr().err == f"dev: --server '{server}' is no address: give it as http://HOST:PORT\n"


@pytest.mark.parametrize("server", ["http://a..b:1", "http://a host"])
def test_a_name_that_nobody_can_have_is_a_mistake(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["dlq", "list", "--server", server]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"dev: workflow-server does not answer at {server} (")
    assert len(error.splitlines()) == 1


def test_a_server_of_another_protocol_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(b"\x00\x00\x12\x04\x00\x00\n", raw=True) as (server, _):
        assert command_line.main(["dlq", "list", "--server", server]) == 2
    assert capsys.readouterr().err.startswith(f"dev: workflow-server does not answer at {server} (")


def test_a_server_that_is_another_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(json.dumps({"detail": "Not Found"}).encode(), 404) as (server, _):
        assert command_line.main(["dlq", "list", "--server", server]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"dev: {server}/api/dead-letters")
    assert error.endswith("answers 404 Not Found: is it a workflow-server?\n")


def test_a_tenant_travels_in_any_alphabet() -> None:
    with answering(b"{}") as (server, asked):
        find_api(server).get("events", "e", as_tenant="東京")
    assert asked[0]["X-Tenant-Id"].encode("latin-1").decode() == "東京"


def test_a_token_file_that_holds_no_text_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    monkeypatch.delenv("API_TOKEN", raising=False)
    monkeypatch.setenv("API_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(MistakeError, match="cannot be read"):
        find_api("http://127.0.0.1:1")
