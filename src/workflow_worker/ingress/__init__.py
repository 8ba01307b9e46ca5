"""Event ingress: stream to ledger to runs, one asyncio task tree. Process code only; workflow-worker's main starts it.

``build_ingress(redis, client, settings, identity=..., registry=...)`` wires it, ``await ingress.run(stop)`` works until
``stop`` is set and then drains, ``ingress.status.check`` is its readiness check.
"""

from workflow_worker.ingress.build import build_ingress
from workflow_worker.ingress.ingress import Ingress
from workflow_worker.ingress.ports import GatewayOutageError, RunGateway, RunStart, StartOutcome
from workflow_worker.ingress.settings import IngressSettings
from workflow_worker.ingress.status import IngressStatus

__all__ = [
    "GatewayOutageError",
    "Ingress",
    "IngressSettings",
    "IngressStatus",
    "RunGateway",
    "RunStart",
    "StartOutcome",
    "build_ingress",
]
