"""How a run begins and ends. Pure; called from workflow code."""

from typing import Any

from workflow_runtime.core.definition import ROOT_PATH
from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.machine.effects import (
    CallAction,
    Failed,
    Sleep,
    Succeeded,
    WaitForEvent,
    WaitForQuota,
    WaitForTask,
)
from workflow_runtime.core.machine.frames import BlockFrame
from workflow_runtime.core.machine.recorder import Recorder
from workflow_runtime.core.machine.run import Clock
from workflow_runtime.core.machine.stack import Ending, Stack
from workflow_runtime.core.machine.state import MachineState


class Lifecycle:
    """Begins a run once and ends it once; the final effect then stays in ``state.pending``."""

    def __init__(self, state: MachineState, stack: Stack, recorder: Recorder) -> None:
        self._state = state
        self._stack = stack
        self._recorder = recorder

    def begin(self, clock: Clock) -> None:
        """Note the start of the run and enter the definition, if that has not happened yet."""
        if self._state.started_at is None:
            self._state.started_at = clock.now_iso()
            self._recorder.run_started(self._state.started_at)
            self._stack.frames.append(BlockFrame(path=ROOT_PATH, item_path=ROOT_PATH))

    def succeed(self, local: dict[str, Any], clock: Clock) -> None:
        """End the run well, from any depth; ``local`` is the local scope where it ended."""
        at = clock.now_iso()
        self._stack.unwind(0, "SUCCEEDED", at)
        self._recorder.run_ended("SUCCEEDED", None, at)
        scopes = self._state.scopes
        self._state.pending = Succeeded(
            result={
                "payload": scopes.payload,
                "vars": scopes.vars,
                "local": local,
                "system": self._state.run.system(),
                "meta": scopes.meta,
            }
        )

    def end(self, failure: Failure, clock: Clock) -> None:
        """End the run with a failure that nothing handles."""
        at = clock.now_iso()
        located = failure.model_copy(update={"node_path": self._stack.current_path(), "at": at})
        status: Ending = "CANCELED" if failure.category is Category.CANCELLATION else "FAILED"
        self._stack.unwind(0, status, at, located if status == "FAILED" else None)
        self._recorder.run_ended(status, located, at)
        self._state.pending = Failed(failure=located)

    def cancel(self, clock: Clock) -> None:
        """End the run because somebody cancelled it, whatever it was waiting for."""
        self.begin(clock)
        effect, self._state.pending = self._state.pending, None
        at = clock.now_iso()
        match effect:
            case CallAction():
                self._recorder.action_ended(self._stack.top_step(), "CANCELED", at)
            case WaitForEvent() | WaitForTask() | WaitForQuota() | Sleep(reason="time"):
                self._recorder.wait_closed(effect, "CANCELED", at)
            case _:
                pass
        self.end(Failure(category=Category.CANCELLATION, code="RUN_CANCELLED", message="the run was cancelled"), clock)
