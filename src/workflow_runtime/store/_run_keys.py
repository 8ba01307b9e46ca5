"""Names of every key a run has or is indexed in. Private to the stores; pure."""

import functools
from dataclasses import dataclass
from typing import Final

from workflow_runtime.store.connection import tenant_key

STATUSES: Final = ("RUNNING", "WAITING", "SUCCEEDED", "FAILED", "CANCELED")
"""In the order of ORDINAL in lua/_runs.lua."""


@dataclass(frozen=True, slots=True)
class RunKeys:
    """Keys of one run."""

    tenant: str
    run_id: str
    workflow_id: str
    parent_run_id: str | None = None

    def declared(self) -> list[str]:
        """The KEYS of every run script, in the order lua/_runs.lua names them."""
        of_run = [row_key(self.tenant, self.run_id), payload_key(self.tenant, self.run_id)]
        of_run += [records_key(self.tenant, self.run_id), ledger_key(self.tenant, self.run_id)]
        of_run += [children_key(self.tenant, self.run_id), children_key(self.tenant, self.parent_run_id or self.run_id)]
        return [*of_run, *_of_workflow(self.tenant, self.workflow_id)]


@functools.lru_cache(maxsize=1024)
def _of_workflow(tenant: str, workflow_id: str) -> tuple[str, ...]:
    """Those of the keys that every run of a workflow has in common."""
    indexes = [index_key(tenant), index_key(tenant, workflow_id=workflow_id), ended_key(tenant), unlaunched_key(tenant)]
    workflow = [workflow_key(tenant, workflow_id), active_key(tenant, workflow_id)]
    workflow += [queue_key(tenant, workflow_id), queues_key(tenant)]
    of_status = [
        index_key(tenant, status=status, workflow_id=within) for status in STATUSES for within in (None, workflow_id)
    ]
    return (*indexes, *workflow, *of_status)


def row_key(tenant: str, run_id: str) -> str:
    """Hash: the row."""
    return tenant_key(tenant, "run", run_id)


def payload_key(tenant: str, run_id: str) -> str:
    """String: the payload's JSON, apart from the row because it may be megabytes and lists do not need it."""
    return tenant_key(tenant, "run", run_id, "payload")


def records_key(tenant: str, run_id: str) -> str:
    """Sorted set: projection records as JSON, scored by sequence number."""
    return tenant_key(tenant, "run", run_id, "records")


def restored_records_key(tenant: str, run_id: str, attempt: str) -> str:
    """Sorted set: records on their way to `records_key`."""
    return tenant_key(tenant, "run", run_id, "records", attempt)


def ledger_key(tenant: str, run_id: str) -> str:
    """Hash: the run's action ledger, idempotency key to entry; and ``eventsFrom``, the sequence of the first event that
    may come after the run was recorded and stands nowhere else."""
    return tenant_key(tenant, "run", run_id, "ledger")


def children_key(tenant: str, run_id: str) -> str:
    """Sorted set: ids of child runs by creation."""
    return tenant_key(tenant, "run", run_id, "children")


def index_key(tenant: str, *, status: str | None = None, workflow_id: str | None = None) -> str:
    """Sorted set: time members of all runs, or those of a workflow, of a status, or of both."""
    parts = ["runs"]
    if workflow_id is not None:
        parts += ["workflow", workflow_id]
    if status is not None:
        parts += ["status", status]
    return tenant_key(tenant, *parts)


def ended_key(tenant: str) -> str:
    """Sorted set: ids of ended runs by the time they ended."""
    return tenant_key(tenant, "runs", "ended")


def unlaunched_key(tenant: str) -> str:
    """Sorted set: ids of runs that may execute but have not been seen executing, by the time they were allowed to."""
    return tenant_key(tenant, "runs", "unlaunched")


def incomplete_key(tenant: str) -> str:
    """Set: ids of runs whose row was made from what they told after their own had been lost."""
    return tenant_key(tenant, "runs", "incomplete")


def queues_key(tenant: str) -> str:
    """Set: ids of workflows that have waiting starts."""
    return tenant_key(tenant, "runs", "queues")


def workflow_key(tenant: str, workflow_id: str) -> str:
    """Hash: the workflow's row (see catalog)."""
    return tenant_key(tenant, "workflow", workflow_id)


def active_key(tenant: str, workflow_id: str) -> str:
    """Set: ids of the workflow's admitted runs that have not ended; the concurrency limit counts these."""
    return tenant_key(tenant, "workflow", workflow_id, "active")


def queue_key(tenant: str, workflow_id: str) -> str:
    """Sorted set: ids of waiting starts in their order of arrival."""
    return tenant_key(tenant, "workflow", workflow_id, "queue")
