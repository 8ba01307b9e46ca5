"""An OpenAI-compatible chat endpoint on loopback that answers what a test tells it to. Tests only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workflow_runtime.service.health import serve_app


@dataclass
class AiEndpoint:
    """``answer`` is given to every request; ``requests`` holds the bodies and ``keys`` the bearer tokens received."""

    url: str = ""
    answer: Response = field(default_factory=lambda: completion("{}"))
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def handle(self, request: Request) -> Response:
        self.requests.append(await request.json())
        self.keys.append(request.headers["authorization"].removeprefix("Bearer "))
        return self.answer


def completion(content: str | None, *, finish_reason: str = "stop", refusal: str | None = None) -> Response:
    """A chat completion with one choice."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return JSONResponse(
        {
            "id": "completion-1",
            "object": "chat.completion",
            "created": 1,
            "model": "model-that-answered",
            "choices": [{"index": 0, "finish_reason": finish_reason, "message": message}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
        }
    )


def problem(status: int, code: str, message: str) -> Response:
    """An error in the API's own form."""
    return JSONResponse({"error": {"code": code, "message": message, "type": "error"}}, status_code=status)


@asynccontextmanager
async def ai_endpoint() -> AsyncIterator[AiEndpoint]:
    """Serves one endpoint while the body runs."""
    endpoint = AiEndpoint()
    app = Starlette(routes=[Route("/v1/chat/completions", endpoint.handle, methods=["POST"])])
    async with serve_app(app, host="127.0.0.1", port=0) as port:
        endpoint.url = f"http://127.0.0.1:{port}/v1"
        yield endpoint
