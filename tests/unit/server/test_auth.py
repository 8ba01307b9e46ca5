"""The token in front of the server: who is let in, by which scheme, and to what."""

import base64
from collections.abc import Mapping

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from workflow_server.auth import TokenMiddleware

TOKEN = "correct horse"


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"operator:{password}".encode()).decode()


@pytest.fixture
def client() -> TestClient:
    async def ok(request: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [Route(path, ok, methods=["GET", "POST"]) for path in ("/api/runs", "/runs", "/readyz", "/metrics")]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(TokenMiddleware, token=TOKEN)]))


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/runs", {}, 401),
        ("GET", "/api/runs", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("GET", "/api/runs", {"Authorization": f"bearer {TOKEN}"}, 200),
        ("GET", "/api/runs", {"Authorization": "Bearer wrong"}, 401),
        ("GET", "/api/runs", {"Authorization": "Bearer correct hörse"}, 401),
        ("GET", "/api/runs", {"Authorization": basic(TOKEN)}, 401),
        ("GET", "/runs", {}, 401),
        ("GET", "/runs", {"Authorization": basic(TOKEN)}, 200),
        ("GET", "/runs", {"Authorization": basic("wrong")}, 401),
        ("GET", "/runs", {"Authorization": "Basic !"}, 401),
        ("POST", "/runs", {"Authorization": basic(TOKEN)}, 401),
        ("POST", "/runs", {"Authorization": basic(TOKEN), "Origin": "http://testserver"}, 200),
        ("POST", "/runs", {"Authorization": basic("wrong"), "Origin": "http://testserver"}, 401),
        ("POST", "/runs", {"Authorization": basic(TOKEN), "Origin": "http://elsewhere"}, 401),
        ("POST", "/runs", {"Authorization": basic(TOKEN), "Origin": "null"}, 401),
        ("POST", "/api/runs", {"Authorization": basic(TOKEN), "Origin": "http://testserver"}, 401),
        ("GET", "/readyz", {}, 200),
        ("GET", "/metrics", {}, 200),
    ],
)
def test_only_the_token_opens_what_is_closed(
    client: TestClient, method: str, path: str, headers: Mapping[str, str], status: int
) -> None:
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    assert client.request(method, path, headers=encoded).status_code == status


@pytest.mark.parametrize(("path", "scheme"), [("/api/runs", "Bearer"), ("/runs", "Basic")])
def test_a_refusal_names_the_scheme_to_use(client: TestClient, path: str, scheme: str) -> None:
    answer = client.get(path)
    assert answer.headers["www-authenticate"].split()[0] == scheme
    assert answer.json()["code"] == "UNAUTHORIZED"
