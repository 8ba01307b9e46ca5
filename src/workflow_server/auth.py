"""The static token in front of the API and the operator page. Process code only.

Programs send ``Authorization: Bearer <token>``. A browser cannot, so the page also takes the token as the password of
HTTP Basic, which every browser asks for by itself; the API does not. What the page changes it takes so only from a page
of its own, so that no foreign page can use a browser's remembered password. Health and metrics stay open for probes.
"""

import base64
import binascii
import hmac
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from workflow_server.cross_origin import origin_is_own
from workflow_server.problems import ProblemError, problem_response

OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/health", "/metrics"})
API_PREFIX: Final = "/api/"


class TokenMiddleware:
    """Lets a request through when it shows the token or its path is open; everything else is 401."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._shows_token(scope):
            await self._app(scope, receive, send)
            return
        scheme = "Bearer" if scope["path"].startswith(API_PREFIX) else 'Basic realm="workflow-server", charset="UTF-8"'
        problem = ProblemError(
            401,
            "UNAUTHORIZED",
            "this server asks for its API token: send it as 'Authorization: Bearer <token>'",
            headers={"WWW-Authenticate": scheme},
        )
        await problem_response(Request(scope), problem)(scope, receive, send)

    def _shows_token(self, scope: Scope) -> bool:
        scheme, _, value = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return hmac.compare_digest(value.strip().encode(), self._token)
        if scheme.lower() == "basic" and not scope["path"].startswith(API_PREFIX) and _reads_or_is_own(scope):
            return hmac.compare_digest(_basic(value)[1], self._token)
        return False


def basic_user(headers: Headers) -> str:
    """The user name of HTTP Basic, which nothing checks; empty without one."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return _basic(value)[0].decode(errors="replace") if scheme.lower() == "basic" else ""


def _reads_or_is_own(scope: Scope) -> bool:
    # A browser names the origin of everything that may change something.
    return scope["method"] in ("GET", "HEAD") or origin_is_own(Headers(scope=scope), when_absent=False)


def _basic(value: str) -> tuple[bytes, bytes]:
    try:
        user, _, password = base64.b64decode(value, validate=True).partition(b":")
    except binascii.Error:
        return b"", b""
    return user, password
