"""Writes what happened as numbered projection records. Pure; called from workflow code.

What the rows look like is said in ``workflow_runtime.core.projection``. A record carries only what changed.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

from workflow_runtime.core.errors import Failure
from workflow_runtime.core.machine._time import elapsed_ms
from workflow_runtime.core.machine.effects import (
    CallAction,
    Effect,
    Sleep,
    StartChild,
    WaitForEvent,
    WaitForQuota,
    WaitForTask,
)
from workflow_runtime.core.machine.frames import EnteredFrame
from workflow_runtime.core.machine.state import MachineState
from workflow_runtime.core.projection import ProjectionKind, ProjectionRecord
from workflow_runtime.core.redaction import redact

type WaitEffect = WaitForEvent | WaitForTask | Sleep | WaitForQuota
type StepEnd = Literal["SUCCEEDED", "FAILED", "RETRY_SCHEDULED", "CANCELED"]
type WaitEnd = Literal["RESOLVED", "TIMED_OUT", "CANCELED"]
type RunEnd = Literal["SUCCEEDED", "FAILED", "CANCELED"]

_ITEM_INDEX: Final = re.compile(r"\.body\[([0-9]+)\]")


class StepIdentity(Protocol):
    """The part of a step that its rows name."""

    @property
    def id(self) -> str: ...

    @property
    def type(self) -> str: ...


def failure_record(failure: Failure) -> dict[str, Any]:
    """A failure as JSON without absent fields, the form of ``error`` in scopes and rows."""
    return {key: value for key, value in failure.model_dump(mode="json", by_alias=True).items() if value is not None}


class Recorder:
    """Appends records to the state of one machine; the machine hands them out and forgets them."""

    def __init__(self, state: MachineState) -> None:
        self._state = state

    def run_started(self, at: str) -> None:
        """The run begins."""
        run = self._state.run
        fields = {
            "status": "RUNNING",
            "workflowId": run.workflow_id,
            "workflowVersion": run.workflow_version,
            "definitionHash": run.definition_hash,
            "startedAt": at,
        }
        self._append("run", run.run_id, fields, at)

    def run_moved(self, step_path: str, at: str) -> None:
        """The run is under way at a step and waits for nothing."""
        fields = {"status": "RUNNING", "currentStepPath": step_path, "currentWait": None}
        self._append("run", self._state.run.run_id, fields, at)

    def run_ended(self, status: RunEnd, failure: Failure | None, at: str) -> None:
        """The run is over; where it stood stays visible when it did not succeed."""
        fields: dict[str, Any] = {
            "status": status,
            "currentWait": None,
            "endedAt": at,
            "durationMs": elapsed_ms(self._state.started_at or at, at),
            "stepCount": self._state.step_count,
        }
        if failure is None:
            fields["currentStepPath"] = None
        else:
            fields["currentStepPath"] = failure.node_path
            fields["error"] = redact(failure_record(failure))
        self._append("run", self._state.run.run_id, fields, at)

    def step_started(self, frame: EnteredFrame, step: StepIdentity, extra: Mapping[str, Any] | None = None) -> None:
        """An attempt of a step is under way beyond this instant. Said once for each attempt."""
        if frame.announced:
            return
        frame.announced = True
        fields = {"status": "STARTED", **_step_identity(frame, step), **(extra or {})}
        self._append("step", _step_key(frame), fields, frame.started_at)

    def step_ended(
        self,
        frame: EnteredFrame,
        step: StepIdentity,
        status: StepEnd,
        at: str,
        failure: Failure | None = None,
        next_attempt_at: str | None = None,
    ) -> None:
        """An attempt of a step is over."""
        fields: dict[str, Any] = {} if frame.announced else _step_identity(frame, step)
        fields |= {"status": status, "endedAt": at, "durationMs": elapsed_ms(frame.started_at, at)}
        if failure is not None:
            fields["error"] = redact(failure_record(failure))
        if next_attempt_at is not None:
            fields["nextAttemptAt"] = next_attempt_at
        self._append("step", _step_key(frame), fields, at)

    def wait_opened(self, effect: WaitEffect, frame: EnteredFrame, step: StepIdentity, at: str) -> None:
        """The run suspends. The delay before a retry is no wait of its own: the step's row shows it."""
        place = {**_place(frame), "stepId": step.id, "attempt": frame.attempt, "startedAt": at}
        fields = {"status": "WAITING", **place, **redact(_wait_fields(effect))}
        self._append("wait", effect.wait_id, fields, at)
        run_fields = {"status": "WAITING", "currentStepPath": frame.path, "currentWait": effect.wait_id}
        self._append("run", self._state.run.run_id, run_fields, at)

    def wait_closed(self, effect: WaitEffect, status: WaitEnd, at: str, event_id: str | None = None) -> None:
        """The wait is over; the run's own row follows when the run moves or ends."""
        fields = {"status": status, "endedAt": at}
        if event_id is not None:
            fields["eventId"] = event_id
        self._append("wait", effect.wait_id, fields, at)

    def action_started(self, effect: CallAction, frame: EnteredFrame, at: str) -> None:
        """An action is called."""
        fields = {
            "status": "STARTED",
            "actionId": effect.action_id,
            "version": effect.version,
            "taskQueue": effect.task_queue,
            "idempotencyKey": effect.idempotency_key,
            "stepId": effect.step_id,
            **_place(frame),
            "attempt": frame.attempt,
            "startedAt": at,
        }
        self._append("action", _step_key(frame), fields, at)

    def action_ended(
        self,
        frame: EnteredFrame,
        status: Literal["SUCCEEDED", "FAILED", "CANCELED"],
        at: str,
        failure: Failure | None = None,
    ) -> None:
        """An action has answered, failed or was cancelled."""
        fields: dict[str, Any] = {
            "status": status,
            "endedAt": at,
            "durationMs": elapsed_ms(frame.started_at, at),
        }
        if failure is not None:
            fields["error"] = redact(failure_record(failure))
        self._append("action", _step_key(frame), fields, at)

    def handled(self, message: str, frame: EnteredFrame, failure: Failure) -> None:
        """A failure was handled and the run goes on: a warning for whoever reads the timeline."""
        fields = {"level": "warning", "message": message, **_place(frame), "error": redact(failure_record(failure))}
        self._append("log", str(self._state.seq + 1), fields, failure.at or frame.started_at)

    def _append(self, kind: ProjectionKind, key: str, fields: dict[str, Any], at: str) -> None:
        self._state.seq += 1
        self._state.records.append(ProjectionRecord(seq=self._state.seq, kind=kind, key=key, fields=fields, at=at))


def _step_key(frame: EnteredFrame) -> str:
    return f"{frame.item_path}#{frame.attempt}"


def _place(frame: EnteredFrame) -> dict[str, Any]:
    return {"stepPath": frame.path, "itemPath": frame.item_path}


def _step_identity(frame: EnteredFrame, step: StepIdentity) -> dict[str, Any]:
    return {
        "stepId": step.id,
        "stepType": step.type,
        **_place(frame),
        "itemIndexes": [int(index) for index in _ITEM_INDEX.findall(frame.item_path)],
        "attempt": frame.attempt,
        "startedAt": frame.started_at,
    }


def _wait_fields(effect: WaitEffect) -> dict[str, Any]:
    match effect:
        case WaitForEvent():
            return {
                "type": "event",
                "eventName": effect.event_name,
                "correlationKey": effect.correlation_key,
                "filters": [item.model_dump(by_alias=True) for item in effect.filters],
                "since": effect.since,
                "timeoutAt": effect.timeout_at,
            }
        case WaitForTask():
            return {
                "type": "human",
                "taskId": effect.task_id,
                "taskType": effect.task_type,
                "title": effect.title,
                "timeoutAt": effect.timeout_at,
            }
        case Sleep():
            return {"type": "time", "dueAt": effect.until}
        case WaitForQuota():
            return {"type": "quota", "reason": effect.reason}


def child_fields(effect: Effect) -> dict[str, Any]:
    """What the row of a callWorkflow step says about its child; nothing for any other effect."""
    return {"childRunId": effect.child_run_id} if isinstance(effect, StartChild) else {}
