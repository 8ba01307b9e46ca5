"""The ASGI application: API, operator page, health and metrics on one port. Process code; built by main and tests."""

from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware

from workflow_runtime.service.health import Health, health_routes
from workflow_server import api
from workflow_server.auth import TokenMiddleware
from workflow_server.backend import Backend
from workflow_server.body_bound import BodyBoundMiddleware
from workflow_server.cross_origin import CrossOriginMiddleware
from workflow_server.event_metrics import EventMetrics
from workflow_server.page.letters import ROUTER as LETTER_PAGES
from workflow_server.page.routes import ROUTER as PAGES
from workflow_server.page.tasks import ROUTER as TASK_PAGES
from workflow_server.problems import install_problem_handlers

_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def build_app(health: Health, *, token: str | None, max_body_bytes: int) -> FastAPI:
    """The application without its backend: until `attach` gives it one, the API and the page answer 503 STARTING."""
    app = FastAPI(
        title="workflow-server",
        description="Authored workflows: publish, start, observe.",
        telemetry=_NO_TELEMETRY,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        middleware=_middleware(token, max_body_bytes),
        routes=[*health_routes(health)],
    )
    app.state.backend = None
    app.state.event_metrics = EventMetrics(health.registry)
    install_problem_handlers(app)
    for router in (*api.ROUTERS, PAGES, LETTER_PAGES, TASK_PAGES):
        app.include_router(router)
    return app


def _middleware(token: str | None, max_body_bytes: int) -> list[Middleware]:
    bounds = [Middleware(CrossOriginMiddleware), Middleware(BodyBoundMiddleware, max_bytes=max_body_bytes)]
    return bounds if token is None else [Middleware(TokenMiddleware, token=token), *bounds]


def attach(app: FastAPI, backend: Backend) -> None:
    """Give the application what it works with; from now on it answers."""
    app.state.backend = backend
