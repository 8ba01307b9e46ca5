"""How JSON enters and leaves the API: strict parsing of bodies, fast writing of answers. Process code only."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.strict_json import read_json
from workflow_server.problems import ProblemError


class StrictJsonRequest(Request):
    """A request whose JSON every reader would read alike, which no nesting of it can hinder."""

    async def json(self) -> Any:
        """The parsed body. Raises `ProblemError` 400 INVALID_JSON."""
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body())
        return self._json


def parse_json(body: bytes, what: str = "the body") -> Any:
    """Strict JSON. Raises `ProblemError` 400 INVALID_JSON, which says where."""
    try:
        return read_json(body)
    except ValidationFailure as failure:
        raise ProblemError(400, "INVALID_JSON", f"{what} is not strict JSON: {failure.message}") from None


class StrictJsonRoute(APIRoute):
    """A route that reads its body through `StrictJsonRequest` and refuses one that does not say it is JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given a strict request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if self.body_field is not None:
                _require_json_type(request)
            return await handler(StrictJsonRequest(request.scope, request.receive))

        return strict


def _require_json_type(request: Request) -> None:
    """Without this a body sent as something else, as curl does by default, would be judged as if it were text."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    given = headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise ProblemError(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            f"the body came as {given or 'nothing in particular'!r}; send JSON with the header "
            "'Content-Type: application/json'",
        )


class RequestBody(BaseModel):
    """Base of request bodies: camelCase, unknown keys refused, nothing coerced."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True)


def json_answer(value: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """``value`` as JSON; models are written by their wire names."""
    return Response(to_json(value, by_alias=True), status_code=status, media_type="application/json", headers=headers)
