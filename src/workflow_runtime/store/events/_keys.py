"""Names of every key, lane and index member of the event store. Private to the stores; pure.

The stream has no tenant, so its companions carry its whole name as hash tag and share its slot on a cluster.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from workflow_runtime.core.contract import EVENT_DEAD_LETTER_STREAM, EVENT_STREAM
from workflow_runtime.store.connection import tenant_key

ACTIVE_TENANTS: Final = "workflow:events:tenants"
"""Sorted set: tenants by the last time (ms) an event of theirs was accepted or found unfinished."""

READY: Final = f"{{{EVENT_STREAM}}}:ready"
"""List: hints ``tenant|event id`` for whoever has room to route. Losing it loses no event: the sweep finds them."""

DEAD_LETTER_SOURCES: Final = f"{{{EVENT_DEAD_LETTER_STREAM}}}:sources"
"""Hash: what a dead letter was made of -> its id, so that a repetition after a crash makes no second one."""

DEAD_LETTER_AUDIT: Final = f"{{{EVENT_DEAD_LETTER_STREAM}}}:audit"
"""Stream: who redrove or dropped what, and when."""


PRESENCE: Final = f"{{{EVENT_STREAM}}}:presence"
"""Sorted set: processes by the last time (ms) they were heard of."""


def reader_key(group: str) -> str:
    """String: which consumer may read the stream at present."""
    return f"{{{EVENT_STREAM}}}:reader:{group}"


def taken_key(group: str, message_id: str) -> str:
    """Hash: consumers from whom a pending message was taken -> how often and when last, see lua/stream_reclaim.lua."""
    return f"{{{EVENT_STREAM}}}:taken:{group}:{message_id}"


def event_key(tenant: str, event_id: str) -> str:
    """Hash: the record of an event, its state (``t:<target>``) per target and who took it (``c:<wait>``)."""
    return tenant_key(tenant, "event", event_id)


def sequence_key(tenant: str) -> str:
    """Counter: order of acceptance."""
    return tenant_key(tenant, "events", "sequence")


def open_key(tenant: str) -> str:
    """Sorted set: unfinished events by the time (ms) at which a sweep has to look at them."""
    return tenant_key(tenant, "events", "open")


def lanes_key(tenant: str) -> str:
    """Sorted set of equal scores: see lua/_events.lua."""
    return tenant_key(tenant, "events", "lanes")


def log_key(tenant: str) -> str:
    """Sorted set: ``sequence|event id`` by time of acceptance (ms), as far back as the retention."""
    return tenant_key(tenant, "events", "log")


def event_audit_key(tenant: str) -> str:
    """Stream: who gave which event another round, when and why."""
    return tenant_key(tenant, "events", "audit")


def leases_key(tenant: str) -> str:
    """Hash: event id -> ``token|end of lease in ms``."""
    return tenant_key(tenant, "events", "leases")


def recent_key(tenant: str, event_name: str, key: str | None) -> str:
    """Sorted set: recorded events of one name, and of one key unless null, in which a late wait looks."""
    return tenant_key(tenant, "events", "recent", event_name, *(() if key is None else (key,)))


def waits_key(tenant: str) -> str:
    """Hash: wait -> ``first sequence|since ms|wait as JSON``."""
    return tenant_key(tenant, "waits")


def wait_index_key(tenant: str) -> str:
    """Sorted set of equal scores: ``name:key|wait``."""
    return tenant_key(tenant, "waits", "index")


def run_waits_key(tenant: str, run_id: str) -> str:
    """Set: the waits of a run."""
    return tenant_key(tenant, "waits", "run", run_id)


def wait_token(run_id: str, wait_id: str) -> str:
    """How a wait is called in the index."""
    return f"{_token(run_id)}:{_token(wait_id)}"


def wait_prefix(event_name: str, key: str | None) -> str:
    """Waits for a name and key stand under this in the index; a null key has its own place."""
    return f"{_token(event_name)}:{'*' if key is None else 'k' + _token(key)}"


def key_lanes(keys: Iterable[str]) -> list[str]:
    """Lanes in which an event waits for its first pass: one per correlation key."""
    return [f"key:{_token(key)}" for key in keys]


def workflow_lanes(workflow_id: str, keys: Iterable[str]) -> list[str]:
    """Lanes in which the start of a workflow waits for earlier events with one of the same keys."""
    return [f"workflow:{_token(workflow_id)}:{_token(key)}" for key in keys]


def run_lane(run_id: str) -> str:
    """Lane in which a signal waits for earlier ones to the same run."""
    return f"run:{_token(run_id)}"


def _token(text: str) -> str:
    # Nothing of "|", ":", "*" and "}" survives, which the scripts use as marks.
    return quote(text, safe="")
