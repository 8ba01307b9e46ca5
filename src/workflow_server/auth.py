"""The static token in front of the API and the operator page. Process code only.

Programs send ``Authorization: Bearer <token>``. A browser cannot, so the page (reading only) also takes the token as
the password of HTTP Basic, which every browser asks for by itself; the API does not, so that no foreign page can use a
browser's remembered password to change something. Health and metrics stay open for probes.
"""

import base64
import binascii
import hmac
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

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
        is_page = not scope["path"].startswith(API_PREFIX) and scope["method"] in ("GET", "HEAD")
        if scheme.lower() == "basic" and is_page:
            return hmac.compare_digest(_basic_password(value), self._token)
        return False


def _basic_password(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
