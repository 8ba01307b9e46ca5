"""Settings of workflow-worker. Process code only."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from workflow_runtime.core.contract import EVENT_CONSUMER_GROUP
from workflow_runtime.service.event_settings import EventSettings
from workflow_worker.ingress import IngressSettings


class WorkflowWorkerSettings(EventSettings):
    """What workflow-worker can be told beyond what every process can.

    ``http_action_allowed_hosts`` are the hosts ``http.request`` may call, comma separated, ``*.example.org`` for all
    below a domain; none by default. ``workflow_secrets_dir`` holds the secrets of authored workflows, one directory per
    tenant and one file per secret. Every ``reconcile_seconds`` one of all replicas compares the open runs of the store
    with those that Temporal executes. ``local_actions`` lets runs that begin here have the short built-in actions done
    within their workflow task; without it every action is an activity of its own on the queue.
    """

    workflow_runtime_v2_event_consumer_group: str = Field(default=EVENT_CONSUMER_GROUP, min_length=1)
    local_actions: bool = True
    reconcile_seconds: float = Field(default=60, gt=0)
    http_action_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    workflow_secrets_dir: Path = Path("/run/workflow-secrets")

    @field_validator("http_action_allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(host.strip().lower() for host in value.split(",") if host.strip())

    def ingress(self) -> IngressSettings:
        """The part of the ingress; it drains within the bound of the whole process."""
        return IngressSettings(
            consumer_group=self.workflow_runtime_v2_event_consumer_group,
            correlation_paths=self.workflow_runtime_v2_event_correlation_paths_json,
            retention_seconds=self.event_retention_seconds,
            drain_seconds=self.shutdown_grace_seconds,
        )
