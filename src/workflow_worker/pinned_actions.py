"""What the pin of an action means for its call: time limits, and checks that others do not do. Workflow code.

Everything here follows from the loaded version, which stands in the history, so that a replay decides the same.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.exceptions import ActivityError, TimeoutError, TimeoutType

from workflow_runtime.core.actions import ActionPin, misfit, unresolved_problems, validate_json
from workflow_runtime.core.actions.spec import DEFAULT_TIMEOUT_MS
from workflow_runtime.core.contract import OWN_ACTION_QUEUES
from workflow_runtime.core.machine.effects import CallAction, Completed, FailedOutcome
from workflow_runtime.service.failures import activity_failure, worker_was_lost

OWN_HEARTBEAT: Final = timedelta(seconds=15)
"""How soon the loss of a worker of ours is noticed; workers of others heartbeat when their spec says so."""

_NOTHING: Final = ActionPin()


@dataclass(frozen=True)
class Limits:
    """The time limits of one attempt; None is no limit."""

    attempt: timedelta
    schedule: timedelta | None
    heartbeat: timedelta | None


def limits(effect: CallAction, pin: ActionPin | None) -> Limits:
    """What the spec said when the definition was published, else what holds for the queue."""
    pin = pin or _NOTHING
    attempt = timedelta(milliseconds=pin.timeout_ms or DEFAULT_TIMEOUT_MS)
    # Half of a short attempt, so that a lost worker is known as one before the attempt is over.
    own = min(OWN_HEARTBEAT, attempt / 2) if effect.task_queue in OWN_ACTION_QUEUES else None
    heartbeat = _limit(pin.heartbeat_timeout_ms) or own
    return Limits(attempt=attempt, schedule=_limit(pin.schedule_timeout_ms), heartbeat=heartbeat)


def refused_input(effect: CallAction, pin: ActionPin | None) -> FailedOutcome | None:
    """The failure of a call whose input does not fit; None when it may be made."""
    if pin is None or pin.input_schema is None:
        return None
    problems = unresolved_problems(pin.input_schema, effect.input)
    if not problems:
        return None
    return FailedOutcome(failure=misfit("input", effect.action_id, effect.version, problems).to_failure())


def checked_output(effect: CallAction, pin: ActionPin | None, value: Any) -> Completed | FailedOutcome:
    """The outcome of a call that answered ``value``."""
    problems = validate_json(pin.output_schema, value) if pin is not None and pin.output_schema is not None else []
    if not problems:
        return Completed(value=value)
    return FailedOutcome(failure=misfit("output", effect.action_id, effect.version, problems).to_failure())


def call_failure(effect: CallAction, found: Limits, error: ActivityError) -> FailedOutcome:
    """The outcome of a call that failed; one that took too long says which action, on which queue, by which limit."""
    failure = activity_failure(error)
    if isinstance(error.cause, TimeoutError):
        failure = failure.model_copy(update={"message": _exceeded(effect, found, error.cause.type)})
    return FailedOutcome(failure=failure)


def _exceeded(effect: CallAction, found: Limits, kind: TimeoutType | None) -> str:
    action = f"action {effect.action_id!r} version {effect.version}"
    queue = f"the queue {effect.task_queue!r}"
    match kind:
        case TimeoutType.SCHEDULE_TO_START:
            return f"no worker took {action} within {_told(found.schedule)}; start the worker that polls {queue}"
        case TimeoutType.HEARTBEAT:
            return f"the worker of {action} on {queue} was silent for more than {_told(found.heartbeat)}"
    return f"{action} did not answer within {_told(found.attempt)} on {queue}"


def _told(limit: timedelta | None) -> str:
    return "its time" if limit is None else f"{limit.total_seconds():g} s"


def may_be_repeated(effect: CallAction, error: ActivityError) -> bool:
    """Whether a call that was lost with its worker is simply made again.

    On our own queues the ledger tells the next worker that the key was begun (RUNTIME.md section 6). Others keep no
    ledger: their silence is a timeout, and the author's ``retry`` says what to do about it.
    """
    own = effect.task_queue in OWN_ACTION_QUEUES
    return worker_was_lost(error) and (own or not isinstance(error.cause, TimeoutError))


def _limit(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)
