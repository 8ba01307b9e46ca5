"""Shapes of events as they come, as they are kept, and of what became of them. Importable anywhere; pure data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from workflow_runtime.core.correlation import KeyOrigin
from workflow_runtime.core.machine.effects import Filter
from workflow_runtime.core.wire import WireModel


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """A message that was read as an event. ``fields`` are the stream fields as they came, every one of them."""

    event_id: str
    event_name: str
    tenant_id: str
    timestamp: str
    explicit_key: str | None
    payload: Any
    fields: dict[str, str]


class EventSource(StrEnum):
    """How an event came in."""

    STREAM = "stream"
    API = "api"


class EventStatus(StrEnum):
    """Accepted; had its first pass over all targets; every target is settled."""

    RECEIVED = "RECEIVED"
    ROUTED = "ROUTED"
    DONE = "DONE"


class TargetStatus(StrEnum):
    """State of one target of an event; the last four are final.

    PENDING not tried yet, TRYING under way (or its process died), RETRYING failed and will be tried again, BEHIND an
    earlier event with the same key still waits for this target; DELIVERED, QUEUED (the run is recorded and starts when
    its workflow is resumed or has room), GONE (the waiting run has ended), FAILED.
    """

    PENDING = "PENDING"
    TRYING = "TRYING"
    RETRYING = "RETRYING"
    BEHIND = "BEHIND"
    DELIVERED = "DELIVERED"
    QUEUED = "QUEUED"
    GONE = "GONE"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        """Whether nothing more happens."""
        return self in _FINAL


_FINAL = frozenset({TargetStatus.DELIVERED, TargetStatus.QUEUED, TargetStatus.GONE, TargetStatus.FAILED})


class Target(WireModel):
    """One trigger or wait an event goes to. Times are ISO 8601 UTC, ``due_ms`` milliseconds since 1970.

    ``id`` is ``trigger:<workflow id>`` or ``wait:<run id>:<wait id>``. ``abandoned`` counts the attempts whose process
    ended before it could tell how they went.
    """

    id: str
    kind: Literal["trigger", "wait"]
    status: TargetStatus = TargetStatus.PENDING
    run_id: str
    workflow_id: str | None = None
    workflow_version: int | None = None
    wait_id: str | None = None
    key: str | None = None
    lanes: tuple[str, ...] = ()
    attempts: int = 0
    abandoned: int = 0
    due_ms: int = 0
    reason: str | None = None
    settled_at: str | None = None


class Considered(WireModel):
    """A trigger or wait that was looked at when the event was planned, and why it matched or did not."""

    id: str
    kind: Literal["trigger", "wait"]
    run_id: str | None = None
    workflow_id: str | None = None
    matched: bool
    reason: str


class WaitTaken(WireModel):
    """Which wait an event resolved in the end, as the run told."""

    run_id: str
    wait_id: str
    at: str


class Retried(WireModel):
    """Who gave an event another round, when and why: ``redrive`` when a dead letter of it was put on the stream again.

    ``targets`` are the target ids that were tried again, or ``plan`` alone for an event that was planned anew.
    """

    at: str
    actor: str
    why: str
    via: Literal["retry", "redrive"]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """An accepted event.

    ``accepted_at`` is ISO 8601 UTC by the clock of Redis, ``accepted_ms`` the same in milliseconds, ``sequence`` its
    place in the tenant's order of acceptance.
    """

    event: IncomingEvent
    keys: tuple[KeyOrigin, ...]
    source: EventSource
    accepted_ms: int
    accepted_at: str
    sequence: int
    status: EventStatus
    reason: str | None = None
    targets: tuple[Target, ...] = ()
    considered: tuple[Considered, ...] = ()
    taken: tuple[WaitTaken, ...] = ()
    retries: tuple[Retried, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """A run that waits for an event; a null key waits for any.

    ``first_sequence`` and ``since_ms`` bound what it may see; the index fills them in when the wait is registered.
    """

    tenant_id: str
    run_id: str
    wait_id: str
    event_name: str
    correlation_key: str | None
    filters: tuple[Filter, ...] = ()
    trigger_event_id: str | None = None
    first_sequence: int = 0
    since_ms: int = 0

    @property
    def target_id(self) -> str:
        """Its id among the targets of an event."""
        return f"wait:{self.run_id}:{self.wait_id}"
