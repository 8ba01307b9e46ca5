"""From a run's calls of actions, as its histories tell them, to what the ledger said of their keys. Pure; process code.

Only our own queues keep the ledger. Its times are those of the worker's clock, which no history holds: here they are
workflow time, the moments between which the run waited for the action.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType

from workflow_runtime.core.contract import OWN_ACTION_QUEUES, ActionRequest
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.service.failures import activity_failure, came_from_action
from workflow_runtime.store.ledger import LedgerEntry
from workflow_worker.rebuild.replaying import CalledAction

_BEFORE_IT_BEGAN: Final = frozenset(
    {
        "UNKNOWN_ACTION",
        "ACTION_INPUT_INVALID",
        "SECRET_NOT_FOUND",
        "SECRET_UNREADABLE",
        "SECRET_TOO_LARGE",
        "IDEMPOTENCY_KEY_REUSED",
    }
)
"""Codes of failures with which a dispatcher refuses a call without noting it."""


def ledger_entries(
    called: Iterable[CalledAction], records: Iterable[ProjectionRecord], *, begun: bool | None
) -> tuple[LedgerEntry, ...]:
    """One entry for each key, as all calls together leave it.

    ``begun`` is whether a worker has the call that is still open, None when the run is over and nobody can say.
    """
    ended = _ends(records)
    entries: dict[str, LedgerEntry] = {}
    for call in called:
        change = _change(call, begun) if call.queue in OWN_ACTION_QUEUES else None
        if change is not None:
            key = call.request.idempotency_key
            entries[key] = _after(entries.get(key), call.request, change, ended)
    return tuple(entries.values())


def _change(call: CalledAction, begun: bool | None) -> dict[str, Any] | None:
    """What one call writes into its entry; None when it left no trace."""
    if call.open:
        if call.local or begun:
            return {"state": "STARTED"}
        return {"state": "UNKNOWN"} if begun is None else None
    if call.error is None:
        return {"state": "SUCCEEDED", "output": call.value, "failure": None}
    if isinstance(call.error, ActivityError | ApplicationError) and _answered(call.error):
        failure = activity_failure(call.error)
        return None if failure.code in _BEFORE_IT_BEGAN else {"state": "FAILED", "failure": failure}
    return None if _never_taken(call.error) else {"state": "UNKNOWN"}


def _answered(error: ActivityError | ApplicationError) -> bool:
    return isinstance(error, ApplicationError) or came_from_action(error)


def _never_taken(error: BaseException) -> bool:
    cause = error.cause if isinstance(error, ActivityError) else error
    return isinstance(cause, TimeoutError) and cause.type is TimeoutType.SCHEDULE_TO_START


def _after(
    before: LedgerEntry | None, request: ActionRequest, change: Mapping[str, Any], ended: Mapping[str, str]
) -> LedgerEntry:
    """lua/ledger_begin.lua and lua/ledger_settle.lua in one: the first answer stands, and what is unknown stays so."""
    if before is not None and before.state == "SUCCEEDED":
        return before
    context = request.context
    first = before or LedgerEntry(
        idempotency_key=request.idempotency_key,
        state="STARTED",
        action_id=request.action_id,
        version=request.version,
        run_id=context.run_id,
        step_path=context.step_path,
        attempts=0,
        input=request.input,
        started_at=context.now_iso,
    )
    state = "UNKNOWN" if first.state == "UNKNOWN" and change["state"] != "SUCCEEDED" else change["state"]
    over = {} if state == "STARTED" else {"ended_at": ended.get(f"{context.step_path}#{context.attempt}")}
    return first.model_copy(update={**change, **over, "state": state, "attempts": first.attempts + 1})


def _ends(records: Iterable[ProjectionRecord]) -> dict[str, str]:
    told = ((record.key, record.fields.get("endedAt")) for record in records if record.kind == "action")
    return {key: at for key, at in told if at is not None}
