"""Refuses request bodies above a bound, before and while they are read. Process code only."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workflow_server.problems import ProblemError, problem_response


class BodyBoundMiddleware:
    """Answers 413 CONTENT_TOO_LARGE: at once when the length is announced, else as soon as it is exceeded."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._max:
            await problem_response(Request(scope), self._problem())(scope, receive, send)
            return
        await self._app(scope, self._counting(receive), send)

    def _counting(self, receive: Receive) -> Receive:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max:
                raise self._problem()
            return message

        return counted

    def _problem(self) -> ProblemError:
        return ProblemError(
            413, "CONTENT_TOO_LARGE", f"the body is larger than {self._max} bytes; send less or raise MAX_BODY_BYTES"
        )
