"""The health port: ``/livez``, ``/readyz``, ``/health`` and ``/metrics`` over plain HTTP. Process code only.

Readiness answers 503 until every check has been added and passes, again whenever one fails, and while draining.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final, Literal

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workflow_runtime.service.errors import StartupError
from workflow_runtime.service.image import ImageManifest

CHECK_SECONDS: Final = 5.0
"""A check that has not answered by then counts as failed."""

type Check = Callable[[], Awaitable[tuple[bool, str]]]
"""Answers ``(ok, detail)``; ``detail`` is a short sentence for a person. An exception counts as failed."""


class Health:
    """What the process says about itself: a phase (starting, serving, draining) and named checks."""

    def __init__(self, image: ImageManifest, registry: CollectorRegistry) -> None:
        self.image = image
        self.registry = registry
        self._phase: Literal["starting", "serving", "draining"] = "starting"
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Let readiness depend on ``check`` as well."""
        self._checks[name] = check

    def serving(self) -> None:
        """Every check has been added: from now on they alone decide."""
        self._phase = "serving"

    def draining(self) -> None:
        """The process is ending: not ready whatever the checks say."""
        self._phase = "draining"

    async def report(self) -> tuple[bool, dict[str, Any]]:
        """``(ready, {status, phase, image, digest, queues, consumerGroups, checks: {name: {ok, detail}}})``."""
        results = await asyncio.gather(*(_ask(check) for check in self._checks.values()))
        checks = {name: {"ok": ok, "detail": detail} for name, (ok, detail) in zip(self._checks, results, strict=True)}
        ready = self._phase == "serving" and all(ok for ok, _ in results)
        return ready, {
            "status": "ready" if ready else "not ready",
            "phase": self._phase,
            "image": self.image.name,
            "digest": self.image.digest,
            "queues": list(self.image.queues),
            "consumerGroups": list(self.image.consumer_groups),
            "checks": checks,
        }


async def _ask(check: Check) -> tuple[bool, str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return False, f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:
        return False, f"{type(error).__name__}: {error}"


def health_routes(health: Health) -> list[Route]:
    """The four routes, for a server that has more of its own."""

    async def livez(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        ready, report = await health.report()
        return JSONResponse(report, status_code=200 if ready else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(health.registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/health", readyz),
        Route("/metrics", metrics),
    ]


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: main decides when to drain."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve_app(app: Any, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve an ASGI app while the block runs; yields the bound port. Raises StartupError when the port is taken."""
    listener = _listen(host, port)
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, lifespan="off", ws="none", http="h11",
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = _Server(config)
    # The socket listens already: a request that comes before the server is up waits in its backlog.
    task = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


def serve_health(health: Health, *, host: str, port: int) -> contextlib.AbstractAsyncContextManager[int]:
    """The health server of a process that serves nothing else."""
    return serve_app(Starlette(routes=health_routes(health)), host=host, port=port)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise StartupError(
            f"cannot listen on {host}:{port} ({error.strerror}); stop what uses it or set PORT to a free port"
        ) from None
