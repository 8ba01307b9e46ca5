"""http.request against a real HTTP server on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from workflow_runtime.core.contract import ActionContext
from workflow_runtime.core.errors import ActionFailure, TimeoutFailure, TransientFailure, ValidationFailure
from workflow_runtime.service.action_dispatch import ActionCall
from workflow_runtime.service.health import serve_app
from workflow_worker.actions.http_guard import HttpGuard
from workflow_worker.actions.http_request import MAX_BODY_BYTES, HttpRequest


async def _echo(request: Request) -> Response:
    body = (await request.body()).decode()
    seen = {"method": request.method, "query": dict(request.query_params), "body": body}
    return JSONResponse({**seen, "headers": dict(request.headers)})


async def _status(request: Request) -> Response:
    return JSONResponse({"why": "because"}, status_code=int(request.path_params["code"]))


async def _never(request: Request) -> Response:
    await asyncio.Event().wait()
    return Response()


async def _raw(request: Request) -> Response:
    bodies = {
        "text": Response("héllo", media_type="text/plain"),
        "latin": Response("h\xe9".encode("latin-1"), headers={"content-type": "text/plain; charset=latin-1"}),
        "rot": Response(b"abc", headers={"content-type": "text/plain; charset=rot13"}),
        "broken": Response("{", media_type="application/json"),
        "nan": Response("NaN", media_type="application/json"),
        "empty": Response(status_code=204),
        "large": Response(b"x" * (MAX_BODY_BYTES + 1)),
        "away": RedirectResponse("http://127.0.0.1:1/"),
    }
    return bodies[request.path_params["kind"]]


APP = Starlette(
    routes=[
        Route("/echo", _echo, methods=["GET", "POST", "PUT"]),
        Route("/status/{code}", _status, methods=["GET", "POST"]),
        Route("/never", _never),
        Route("/raw/{kind}", _raw),
    ]
)


class Http:
    """``http.request`` allowed to call the test server under a public name that resolves to loopback."""

    def __init__(self, port: int, request: HttpRequest) -> None:
        self.base = f"http://api.example.org:{port}"
        self._request = request

    async def call(self, path: str, *, recovered: bool = False, **given: Any) -> Any:
        context = ActionContext(run_id="r", step_path="p", tenant_id="t", attempt=1, now_iso="2026-01-01T00:00:00Z")
        return await self._request.perform(
            ActionCall({"url": f"{self.base}{path}", **given}, "key-1", context, recovered=recovered)
        )


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async def loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(serve_app(APP, host="127.0.0.1", port=0))
        client = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False, timeout=None))
        guard = HttpGuard([f"api.example.org:{port}"], resolver=loopback, acceptable=lambda _: True)
        yield Http(port, HttpRequest(client, guard))


async def test_a_request_carries_method_query_headers_and_json(http: Http) -> None:
    answer = await http.call(
        "/echo?a=1", method="POST", query={"b": "2"}, headers={"X-Trace": "t"}, json={"n": 1}, timeoutMs=5000
    )
    seen = answer["body"]
    assert (answer["status"], seen["method"], seen["query"], seen["body"]) == (
        200,
        "POST",
        {"a": "1", "b": "2"},
        '{"n":1}',
    )
    assert seen["headers"]["x-trace"] == "t"
    assert seen["headers"]["content-type"] == "application/json"
    assert seen["headers"]["host"] == http.base.removeprefix("http://")


async def test_the_idempotency_key_travels_in_the_header_that_is_named(http: Http) -> None:
    answer = await http.call("/echo", method="POST", body="x", idempotencyHeader="Idempotency-Key")
    assert answer["body"]["headers"]["idempotency-key"] == "key-1"


@pytest.mark.parametrize(("code", "failure"), [(404, ActionFailure), (429, TransientFailure), (503, TransientFailure)])
async def test_a_failing_status_is_a_typed_failure_that_shows_the_answer(
    http: Http, code: int, failure: type[Exception]
) -> None:
    with pytest.raises(failure) as raised:
        await http.call(f"/status/{code}")
    assert raised.value.code == f"HTTP_{code}"  # type: ignore[attr-defined]
    assert raised.value.details["body"] == {"why": "because"}  # type: ignore[attr-defined]
    assert (await http.call(f"/status/{code}", failOnStatus=False))["status"] == code


async def test_a_redirect_is_answered_and_not_followed(http: Http) -> None:
    answer = await http.call("/raw/away")
    assert (answer["status"], answer["headers"]["location"]) == (307, "http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text", "héllo"), ("latin", "hé"), ("rot", "abc"), ("broken", "{"), ("nan", "NaN"), ("empty", None)],
)
async def test_a_body_is_read_as_what_it_is(http: Http, kind: str, body: Any) -> None:
    assert (await http.call(f"/raw/{kind}"))["body"] == body


@pytest.mark.parametrize("kind", ["text", "broken", "nan"])
async def test_a_body_that_must_be_json_and_is_not_fails(http: Http, kind: str) -> None:
    with pytest.raises(ActionFailure, match="not JSON"):
        await http.call(f"/raw/{kind}", responseType="json")


async def test_an_answer_that_is_too_large_is_refused(http: Http) -> None:
    with pytest.raises(ActionFailure) as raised:
        await http.call("/raw/large")
    assert raised.value.code == "RESPONSE_TOO_LARGE"


async def test_a_host_that_does_not_answer_is_a_timeout(http: Http) -> None:
    with pytest.raises(TimeoutFailure) as raised:
        await http.call("/never", timeoutMs=100)
    assert raised.value.code == "HTTP_TIMEOUT"


async def test_a_host_that_is_not_there_is_transient() -> None:
    async def loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with httpx2.AsyncClient(trust_env=False) as client:
        guard = HttpGuard(["api.example.org:1"], resolver=loopback, acceptable=lambda _: True)
        http = Http(1, HttpRequest(client, guard))
        with pytest.raises(TransientFailure) as raised:
            await http.call("/")
    assert raised.value.code == "HTTP_UNREACHABLE"


@pytest.mark.parametrize("name", ["Host", "content-length", " Transfer-Encoding"])
async def test_headers_that_decide_where_a_request_goes_are_refused(http: Http, name: str) -> None:
    with pytest.raises(ValidationFailure) as raised:
        await http.call("/echo", headers={name: "x"})
    assert raised.value.code == "HEADER_REFUSED"


@pytest.mark.parametrize("headers", [{"x": "a\nb"}, {"x\r\ny": "a"}, {"x": "\u2028"}])
async def test_headers_that_cannot_be_written_fail_without_a_request(http: Http, headers: dict[str, str]) -> None:
    with pytest.raises((ValidationFailure, TransientFailure)):
        await http.call("/echo", headers=headers)


async def test_a_post_whose_outcome_is_unknown_is_not_repeated_blindly(http: Http) -> None:
    with pytest.raises(ActionFailure) as raised:
        await http.call("/echo", method="POST", recovered=True)
    assert raised.value.code == "OUTCOME_UNKNOWN"
    assert (await http.call("/echo", method="POST", recovered=True, idempotencyHeader="K"))["status"] == 200
    assert (await http.call("/echo", method="PUT", recovered=True))["status"] == 200
