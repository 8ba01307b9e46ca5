"""How JSON enters and leaves the API: strict parsing of bodies, fast writing of answers. Process code only."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import from_json, to_json

from workflow_server.problems import ProblemError


class StrictJsonRequest(Request):
    """A request whose JSON has no NaN, no lone surrogate and no nesting that could exhaust the stack."""

    async def json(self) -> Any:
        """The parsed body. Raises `ProblemError` 400 INVALID_JSON."""
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body())
        return self._json


def parse_json(body: bytes) -> Any:
    """Strict JSON. Raises `ProblemError` 400 INVALID_JSON, which says where."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise ProblemError(400, "INVALID_JSON", f"the body is not JSON: {error}") from None


class StrictJsonRoute(APIRoute):
    """A route that reads its body through `StrictJsonRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given a strict request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictJsonRequest(request.scope, request.receive))

        return strict


class RequestBody(BaseModel):
    """Base of request bodies: camelCase, unknown keys refused, nothing coerced."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True)


def json_answer(value: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """``value`` as JSON; models are written by their wire names."""
    return Response(to_json(value, by_alias=True), status_code=status, media_type="application/json", headers=headers)
