"""Judges the response to a human task before it is accepted. Pure; workflow code, also read-only handlers.

A response is tried on a copy of the machine: when the step could not work with it, the sender is told why and the task
stays open (RUNTIME.md section 3, human.task).
"""

from typing import Any

from pydantic import ValidationError

from workflow_runtime.core.contract import HumanTaskSignal
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.machine import Completed, Machine, WaitForTask
from workflow_worker.mailbox import AcceptedResponse
from workflow_worker.starting import told


class _StillClock:
    """A copy must not take from the run's random numbers, or a replay would find others."""

    def __init__(self, now_iso: str) -> None:
        self._now_iso = now_iso

    def now_iso(self) -> str:
        return self._now_iso

    def random(self) -> float:
        return 0.5


def parse_response(raw: Any, responder: Any = None) -> AcceptedResponse:
    """The response as it was sent, and who gave it: what is no text names nobody. Raises ValidationFailure."""
    try:
        sent = HumanTaskSignal.model_validate(raw)
    except ValidationError as error:
        raise ValidationFailure(f"this is no response to a task: {told(error)}", code="INVALID_RESPONSE") from None
    return AcceptedResponse(
        task_id=sent.task_id,
        event_name=sent.event_name,
        payload=sent.payload,
        responded_by=responder if isinstance(responder, str) else None,
    )


def require_acceptable(response: HumanTaskSignal, *, machine: Machine | None, answered: bool, now_iso: str) -> None:
    """Return when the run waits for this response and can go on with it. Raises ValidationFailure otherwise."""
    wait = machine.current_wait() if machine else None
    if machine is None or not isinstance(wait, WaitForTask) or wait.task_id != response.task_id:
        raise ValidationFailure(f"the run does not wait for task {response.task_id!r}", code="TASK_NOT_OPEN")
    if answered:
        raise ValidationFailure(f"task {response.task_id!r} has been answered", code="TASK_NOT_OPEN")
    failure = _trial(response, machine, now_iso)
    if failure is not None:
        raise ValidationFailure(
            f"the workflow cannot work with this response: {failure['message']}",
            code="RESPONSE_REFUSED",
            details=failure,
        )


def _trial(response: HumanTaskSignal, machine: Machine, now_iso: str) -> dict[str, Any] | None:
    copy = machine.copy()
    copy.take_projections()
    answer = {"eventName": response.event_name, "payload": response.payload}
    copy.resume(Completed(value=answer), _StillClock(now_iso))
    errors = (record.fields.get("error") for record in copy.take_projections() if record.kind == "step")
    return next((error for error in errors if error is not None), None)
