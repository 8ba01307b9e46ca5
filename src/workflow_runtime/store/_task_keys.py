"""Names of the keys of human tasks and their removal with a run. Private to the stores."""

from typing import Final

from redis.asyncio import Redis

from workflow_runtime.store._indexes import id_of, members
from workflow_runtime.store.connection import register_script, tenant_key

TASK_STATUSES: Final = ("OPEN", "COMPLETED", "TIMED_OUT", "CANCELED")


def task_key(tenant: str, task_id: str) -> str:
    """Hash: the task."""
    return tenant_key(tenant, "task", task_id)


def of_run_key(tenant: str, run_id: str) -> str:
    """Sorted set: time members of the tasks of a run."""
    return tenant_key(tenant, "run", run_id, "tasks")


def task_index_key(tenant: str, status: str | None = None) -> str:
    """Sorted set: time members of all tasks, or of those with a status."""
    return tenant_key(tenant, "tasks", "status", status) if status else tenant_key(tenant, "tasks")


def indexes(tenant: str, run_id: str) -> list[str]:
    """Every index a task can stand in."""
    by_status = [task_index_key(tenant, status) for status in TASK_STATUSES]
    return [of_run_key(tenant, run_id), task_index_key(tenant), *by_status]


async def remove_tasks_of_run(redis: Redis, tenant: str, run_id: str) -> None:
    """Remove every task of a run with its places in the indexes."""
    remove = register_script(redis, "task_remove")
    for member in await members(redis, of_run_key(tenant, run_id)):
        await remove([task_key(tenant, id_of(member)), *indexes(tenant, run_id)], [member])
