"""Names of the keys that tell which workflows an event starts. Private to the stores; pure."""

from workflow_runtime.store.connection import tenant_key


def triggers_key(tenant: str) -> str:
    """Hash: workflow id -> its live trigger as JSON."""
    return tenant_key(tenant, "triggers")


def triggers_by_event_key(tenant: str) -> str:
    """Sorted set of equal scores: ``event name``, a line break, ``workflow id``."""
    return tenant_key(tenant, "triggers", "events")
