"""Wires an ingress from the connections that main holds. Process code only."""

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from temporalio.client import Client

from workflow_worker.ingress.ingress import Ingress
from workflow_worker.ingress.settings import IngressSettings
from workflow_worker.ingress.temporal_gateway import TemporalRunGateway


def build_ingress(
    redis: Redis, client: Client, settings: IngressSettings, *, identity: str, registry: CollectorRegistry
) -> Ingress:
    """The ingress of this process, which people know by ``identity``."""
    return Ingress(redis, TemporalRunGateway(client, redis), settings, identity=identity, registry=registry)
