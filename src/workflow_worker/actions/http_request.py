"""Performs ``http.request``. Activity code. Redirects are answered as they are, never followed."""

import asyncio
import json
from typing import Any, Final

import httpx2

from workflow_runtime.core.errors import (
    ActionFailure,
    RuntimeFailureError,
    TimeoutFailure,
    TransientFailure,
    ValidationFailure,
)
from workflow_runtime.service.action_dispatch import ActionCall
from workflow_worker.actions.http_guard import HttpGuard

MAX_BODY_BYTES: Final = 256 * 1024
"""Larger answers are refused: an answer stands in the run's history and variables."""

DEFAULT_TIMEOUT_MS: Final = 30_000

_REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods whose repetition has no further effect (RFC 9110, 9.2.2)."""

_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})
"""Headers that decide how, and to whom, a request is sent."""


class HttpRequest:
    """Sends one request to an address the guard admitted, and reads a bounded answer."""

    def __init__(self, client: httpx2.AsyncClient, guard: HttpGuard) -> None:
        self._client = client
        self._guard = guard

    async def perform(self, call: ActionCall) -> Any:
        """``{status, headers, body}``. Raises ValidationFailure for what may not be sent, TimeoutFailure,
        TransientFailure (no connection, 429, 5xx) and ActionFailure (other failures)."""
        given = call.input
        _require_repeatable(call)
        timeout = given.get("timeoutMs", DEFAULT_TIMEOUT_MS) / 1000
        try:
            async with asyncio.timeout(timeout):
                answer = await self._send(call)
        except TimeoutError as error:
            raise TimeoutFailure(f"no answer from the host within {timeout:g} s", code="HTTP_TIMEOUT") from error
        if answer["status"] >= 400 and given.get("failOnStatus", True):
            raise _status_failure(answer)
        return answer

    async def _send(self, call: ActionCall) -> dict[str, Any]:
        url = _url(call.input)
        addresses = await self._guard.admit(str(url))
        last: httpx2.ConnectError | None = None
        for address in addresses:
            request = self._request(call, url, address)
            try:
                return await self._exchange(request, call.input.get("responseType", "auto"))
            except httpx2.ConnectError as error:
                last = error
            except httpx2.HTTPError as error:
                raise _unreachable(url, error) from error
        assert last is not None, "the guard admits at least one address"
        raise _unreachable(url, last) from last

    def _request(self, call: ActionCall, url: httpx2.URL, address: str) -> httpx2.Request:
        headers = _headers(call)
        body = {name: call.input[key] for key, name in (("json", "json"), ("body", "content")) if key in call.input}
        try:
            return self._client.build_request(
                call.input.get("method", "GET"),
                url.copy_with(host=address),
                headers={**headers, "host": url.netloc.decode("ascii")},
                extensions={"sni_hostname": url.host},
                **body,
            )
        except (ValueError, TypeError) as error:
            raise ValidationFailure(f"the request cannot be written: {error}", code="INVALID_REQUEST") from error

    async def _exchange(self, request: httpx2.Request, kind: str) -> dict[str, Any]:
        answer = await self._client.send(request, stream=True)
        try:
            content = await _read(answer)
        finally:
            await answer.aclose()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return {"status": answer.status_code, "headers": headers, "body": _body(answer, content, kind)}


def _require_repeatable(call: ActionCall) -> None:
    method = call.input.get("method", "GET")
    if call.recovered and method not in _REPEATABLE and "idempotencyHeader" not in call.input:
        raise ActionFailure(
            f"a {method} request was under way when its worker was lost, and nobody knows whether it arrived; set "
            f"idempotencyHeader so that it can be repeated safely",
            code="OUTCOME_UNKNOWN",
        )


def _url(given: dict[str, Any]) -> httpx2.URL:
    try:
        url = httpx2.URL(given["url"])
        query = given.get("query")
        return url.copy_merge_params(query) if query else url
    except (httpx2.InvalidURL, ValueError) as error:
        raise ValidationFailure("the url is not an absolute http or https address", code="INVALID_URL") from error


def _headers(call: ActionCall) -> dict[str, str]:
    headers = dict(call.input.get("headers", {}))
    refused = sorted(name for name in headers if name.strip().lower() in _OURS)
    if refused:
        raise ValidationFailure(f"the headers {', '.join(refused)} cannot be set", code="HEADER_REFUSED")
    if "idempotencyHeader" in call.input:
        headers[call.input["idempotencyHeader"]] = call.idempotency_key
    # A compressed answer could be far larger than what is read of it.
    return {"accept-encoding": "identity", "user-agent": "workflow-runtime", **headers}


async def _read(answer: httpx2.Response) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise ActionFailure(
                f"the answer is larger than {MAX_BODY_BYTES} bytes; ask the host for less", code="RESPONSE_TOO_LARGE"
            )
    return bytes(content)


def _body(answer: httpx2.Response, content: bytes, kind: str) -> Any:
    if not content:
        return None
    text = _text(content, answer.charset_encoding or "utf-8")
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text" or (kind == "auto" and not (media == "application/json" or media.endswith("+json"))):
        return text
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        if kind == "auto":
            return text
        raise ActionFailure(f"the answer is not JSON: {error}", code="INVALID_JSON") from error


def _text(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, errors="replace")
    except LookupError:
        return content.decode(errors="replace")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _status_failure(answer: dict[str, Any]) -> RuntimeFailureError:
    status = answer["status"]
    kind = TransientFailure if status == 429 or status >= 500 else ActionFailure
    return kind(f"the host answered {status}", code=f"HTTP_{status}", details=answer)


def _unreachable(url: httpx2.URL, error: httpx2.HTTPError) -> TransientFailure:
    reason = " ".join(str(error).split()) or type(error).__name__
    return TransientFailure(f"{url.host} could not be reached: {reason}", code="HTTP_UNREACHABLE")
