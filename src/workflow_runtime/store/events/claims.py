"""Events as they are accepted and held for routing, and how a pass over one ends. Importable anywhere; pure data."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from workflow_runtime.store._catalog_rows import TriggerTarget
from workflow_runtime.store.events.records import EventStatus, LedgerEvent, Wait


class Refusal(StrEnum):
    """Why an event cannot be claimed: it is gone, settled, somebody else's, or has to let an earlier one go first."""

    MISSING = "missing"
    DONE = "done"
    LEASED = "leased"
    BLOCKED = "blocked"


def new_token(identity: str) -> str:
    """A token for a claim of the process of that name."""
    return f"{identity}/{uuid.uuid4().hex}"


def holder_of(token: str) -> str:
    """Whose token it is; empty when nobody is said to live by it."""
    return token.rpartition("/")[0]


class Hold(NamedTuple):
    """An event as somebody claimed it, or meant to."""

    tenant: str
    event_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that is ours until the lease ends. ``now_ms`` is the time of the claim by the clock of Redis.

    ``begun`` counts the other first passes that may have ended with their process: they were begun, did not end, and
    their process has not said that it outlived them. ``abandoned`` of a target counts the same of its attempts.
    ``doubtful`` counts, beside those and by target id (the first pass is ``plan``), what processes left open that are
    heard of, and so may be slow.
    ``planned`` tells whether the targets stand already, otherwise ``waits`` are those the event may match and
    ``triggers`` the live ones of its name in order of workflow id (those of paused workflows included: their starts
    wait).
    """

    token: str
    now_ms: int
    begun: int
    planned: bool
    event: LedgerEvent
    waits: tuple[Wait, ...]
    triggers: tuple[TriggerTarget, ...]
    doubtful: Mapping[str, int] = field(default_factory=dict)
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def hold(self) -> Hold:
        """Who it is that holds which event."""
        return Hold(self.event.event.tenant_id, self.event.event.event_id, self.token)

    def time_ms(self) -> int:
        """The present time by the clock of Redis, as far as the claim knows it."""
        return self.now_ms + round((time.monotonic() - self.taken_at) * 1000)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What became of an attempt to accept: recorded now, or known from before (``duplicate``).

    ``runnable`` tells whether it can be routed at once; otherwise an earlier event with one of its keys goes first and
    whoever routes that one goes on with this one. ``claim`` is there when it was taken for routing in the same step.
    """

    tenant_id: str
    event_id: str
    duplicate: bool
    accepted_at: str
    sequence: int
    runnable: bool
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """What ``finish`` did: the event's status and which events of the tenant may go on now."""

    status: EventStatus
    runnable: tuple[str, ...]
