"""Which triggers and waits an event goes to. Pure; process code."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from workflow_runtime.store.catalog import TriggerTarget
from workflow_runtime.store.events import Claim, Considered, LedgerEvent, Target, Wait
from workflow_runtime.store.events.lanes import run_lane, workflow_lanes
from workflow_runtime.store.events.waiting import refusal_of

RUN_NAMESPACE: Final = uuid.UUID("5b1f7c6e-6f0e-5d0a-9d2b-0c8f8a6f2f11")
"""Never changes: run ids follow from it, and with them that a redelivery starts no second run."""

_MAX_CONSIDERED: Final = 100
"""Waits that did not match and are remembered by name; the reason tells how many more there were."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Targets of an event, everything that was looked at, and why nothing matched if nothing did."""

    targets: tuple[Target, ...]
    considered: tuple[Considered, ...]
    reason: str


def make_plan(claim: Claim) -> Plan:
    """The targets of a claimed event among the triggers and waits of the claim."""
    event = claim.event
    targets = [trigger_target(event, trigger) for trigger in claim.triggers]
    considered = [_looked_at(target, "it is triggered by events of this name") for target in targets]
    for wait in claim.waits:
        refusal = refusal_of(wait, event)
        target = wait_target(wait)
        considered.append(_looked_at(target, refusal or "name, key and filters match", matched=refusal is None))
        if refusal is None:
            targets.append(target)
    return Plan(tuple(targets), tuple(_shortened(considered)), "" if targets else _unmatched(event, len(considered)))


def trigger_target(event: LedgerEvent, trigger: TriggerTarget) -> Target:
    """The start of a workflow by an event."""
    workflow_id = trigger.workflow_id
    return Target(
        id=f"trigger:{workflow_id}",
        kind="trigger",
        run_id=run_id_of(event.event.tenant_id, event.event.event_id, workflow_id),
        workflow_id=workflow_id,
        workflow_version=trigger.version,
        key=event.keys[0].key if event.keys else None,
        lanes=tuple(workflow_lanes(workflow_id, (origin.key for origin in event.keys))),
    )


def wait_target(wait: Wait) -> Target:
    """The delivery of an event to a wait."""
    return Target(
        id=wait.target_id,
        kind="wait",
        run_id=wait.run_id,
        wait_id=wait.wait_id,
        key=wait.correlation_key,
        lanes=(run_lane(wait.run_id),),
    )


def run_id_of(tenant: str, event_id: str, workflow_id: str) -> str:
    """The id of the run which an event starts of a workflow."""
    return str(uuid.uuid5(RUN_NAMESPACE, f"{tenant}:{event_id}:{workflow_id}"))


def _looked_at(target: Target, reason: str, *, matched: bool = True) -> Considered:
    return Considered(
        id=target.id,
        kind=target.kind,
        run_id=target.run_id,
        workflow_id=target.workflow_id,
        matched=matched,
        reason=reason,
    )


def _shortened(rows: Sequence[Considered]) -> Iterable[Considered]:
    matched = [row for row in rows if row.matched]
    return matched + [row for row in rows if not row.matched][:_MAX_CONSIDERED]


def _unmatched(event: LedgerEvent, refused: int) -> str:
    keys = ", ".join(repr(origin.key) for origin in event.keys) or "none"
    text = f"unmatched: no workflow is triggered by {event.event.event_name!r}"
    if refused:
        return f"{text}, and each of the {refused} waits with this name and key refuses it"
    return f"{text}, and no run waits for it (correlation keys: {keys})"
