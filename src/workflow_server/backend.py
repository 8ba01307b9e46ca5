"""What the API and the page work with: stores, the Temporal client and what this process knows of itself. Process code.

Main builds one after both connections stand; tests build one over real servers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from temporalio.client import Client

from workflow_runtime.bootstrap import APP_SPECS
from workflow_runtime.core.actions import BUILTIN_SPECS, ActionSpec
from workflow_runtime.service.image import ImageManifest
from workflow_runtime.store.action_registry import ActionRegistry
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.events import EventIntake, EventLedger
from workflow_runtime.store.ledger import ActionLedger
from workflow_runtime.store.runs import Runs
from workflow_runtime.store.schemas import Schemas
from workflow_runtime.store.secrets import DirectorySecrets, SecretSource
from workflow_runtime.store.tasks import Tasks
from workflow_server.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class Backend:
    """Everything behind the routes. ``own_specs`` are the actions this runtime brings, for every tenant."""

    client: Client
    redis: Redis
    image: ImageManifest
    settings: ServerSettings
    catalog: Catalog
    schemas: Schemas
    registry: ActionRegistry
    runs: Runs
    tasks: Tasks
    ledger: ActionLedger
    intake: EventIntake
    events: EventLedger
    secrets: SecretSource
    own_specs: Sequence[ActionSpec]

    async def known_actions(self, tenant: str) -> dict[tuple[str, int], ActionSpec]:
        """Every action a definition of the tenant may call, by id and version."""
        specs = (*await self.registry.list_actions(tenant), *self.own_specs)
        return {(spec.id, spec.version): spec for spec in specs}

    async def action_queues(self, tenant: str) -> set[str]:
        """The task queues of those actions."""
        return {spec.task_queue for spec in (await self.known_actions(tenant)).values()}


def build_backend(client: Client, redis: Redis, image: ImageManifest, settings: ServerSettings) -> Backend:
    """A backend over two connections, which the caller closes."""
    return Backend(
        client=client,
        redis=redis,
        image=image,
        settings=settings,
        catalog=Catalog(redis),
        schemas=Schemas(redis),
        registry=ActionRegistry(redis),
        runs=Runs(redis),
        tasks=Tasks(redis),
        ledger=ActionLedger(redis),
        intake=EventIntake(
            redis,
            correlation_paths=settings.workflow_runtime_v2_event_correlation_paths_json,
            retention_seconds=settings.event_retention_seconds,
        ),
        events=EventLedger(redis, retention_seconds=settings.event_retention_seconds),
        secrets=DirectorySecrets(settings.workflow_secrets_dir),
        own_specs=(*BUILTIN_SPECS, *APP_SPECS),
    )
