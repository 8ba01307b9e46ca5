"""Refuses changes that a browser sends on behalf of another site's page. Process code only.

The API may run without a token on a developer's loopback address, where any page in the same browser reaches it.
Programs send no ``Origin``; browsers send it with every request that is not a plain reading.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from workflow_server.problems import ProblemError, problem_response

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossOriginMiddleware:
    """Answers 403 CROSS_ORIGIN to a changing request whose origin is not this server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] in _READING
            or origin_is_own(Headers(scope=scope), when_absent=True)
        ):
            await self._app(scope, receive, send)
            return
        detail = "a page of another site may not change anything here; call the API from a program"
        await problem_response(Request(scope), ProblemError(403, "CROSS_ORIGIN", detail))(scope, receive, send)


def origin_is_own(headers: Headers, *, when_absent: bool) -> bool:
    """Whether a request comes from a page of this server; ``when_absent`` answers for one that names no origin."""
    origin = headers.get("origin")
    return when_absent if origin is None else urlsplit(origin).netloc == headers.get("host")
