"""What happens when a step fails. Pure; called from workflow code.

The order is RUNTIME.md section 3: retry, ``onError`` continue, the innermost tryCatch or forEach that handles it, and
else the end of the run. An action that nobody handles and that failed for want of quota does not end the run: the run
waits for the quota signal and calls the action again.
"""

from workflow_runtime.core.definition import ActionCallStep, NodeStep, RetryPolicy, Step
from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.machine._time import add_ms
from workflow_runtime.core.machine.context import derived_id
from workflow_runtime.core.machine.effects import Sleep, WaitForQuota
from workflow_runtime.core.machine.frames import StepFrame, TryFrame
from workflow_runtime.core.machine.lifecycle import Lifecycle
from workflow_runtime.core.machine.program import Program
from workflow_runtime.core.machine.recorder import Recorder
from workflow_runtime.core.machine.retry import UNCATCHABLE, may_retry, retry_delay_ms
from workflow_runtime.core.machine.run import Clock
from workflow_runtime.core.machine.stack import Stack
from workflow_runtime.core.machine.state import MachineState


class FailureHandling:
    """Decides where a run goes on after the step on top of the stack failed."""

    def __init__(
        self, state: MachineState, program: Program, stack: Stack, recorder: Recorder, lifecycle: Lifecycle
    ) -> None:
        self._state = state
        self._program = program
        self._stack = stack
        self._recorder = recorder
        self._lifecycle = lifecycle

    def fail(self, failure: Failure, clock: Clock) -> None:
        """Handle the failure of the step on top."""
        frame = self._stack.top_step()
        step = self._program.step(frame.path)
        located = failure.model_copy(update={"node_path": frame.path, "at": clock.now_iso()})
        if located.category in UNCATCHABLE:
            self._lifecycle.end(located, clock)
        elif isinstance(step, NodeStep) and step.retry is not None and may_retry(step.retry, frame.tries, located):
            self._retry(step.retry, frame, step, located, clock)
        elif isinstance(step, NodeStep) and step.on_error is not None and step.on_error.policy == "continue":
            self._recorder.handled(f"step {step.id!r} failed and the run goes on (onError)", frame, located)
            self._stack.leave("FAILED", located.at or "", located)
        else:
            self._hand_up(frame, step, located, clock)

    def begin_attempt(self, frame: StepFrame, clock: Clock, *, fresh_budget: bool) -> None:
        """Make the step on top ready to run again; ``fresh_budget`` lets ``maxAttempts`` count from one."""
        frame.phase = "run"
        frame.attempt += 1
        frame.tries = 1 if fresh_budget else frame.tries + 1
        frame.started_at = clock.now_iso()
        frame.announced = False

    def _retry(self, policy: RetryPolicy, frame: StepFrame, step: Step, failure: Failure, clock: Clock) -> None:
        now = clock.now_iso()
        chance = clock.random() if policy.jitter and policy.backoff_ms else 0.5
        delay = retry_delay_ms(policy, frame.tries, chance)
        until = add_ms(now, delay)
        self._recorder.step_ended(frame, step, "RETRY_SCHEDULED", now, failure, next_attempt_at=until)
        if delay < 1:
            self.begin_attempt(frame, clock, fresh_budget=False)
            return
        frame.phase = "backoff"
        wait_id = derived_id(self._state.run, frame, "retry")
        self._state.pending = Sleep(wait_id=wait_id, step_path=frame.path, until=until, reason="retry")

    def _hand_up(self, frame: StepFrame, step: Step, failure: Failure, clock: Clock) -> None:
        at = clock.now_iso()
        index = self._stack.handler()
        if index is not None:
            self._stack.unwind(index + 1, "FAILED", at, failure)
            self._enter_handler(index, step, frame, failure)
        elif failure.category is Category.QUOTA and isinstance(step, ActionCallStep):
            self._wait_for_quota(frame, step, failure, at)
        else:
            self._lifecycle.end(failure, clock)

    def _enter_handler(self, index: int, step: Step, frame: StepFrame, failure: Failure) -> None:
        handler = self._stack.frames[index]
        if isinstance(handler, TryFrame):
            self._recorder.handled(f"step {step.id!r} failed and was caught (tryCatch)", frame, failure)
            self._stack.enter_catch(handler, failure)
        else:
            self._recorder.handled(f"step {step.id!r} failed and the loop goes on (onItemError)", frame, failure)

    def _wait_for_quota(self, frame: StepFrame, step: Step, failure: Failure, at: str) -> None:
        self._recorder.step_ended(frame, step, "RETRY_SCHEDULED", at, failure)
        frame.phase = "quota"
        wait_id = derived_id(self._state.run, frame, "quota")
        effect = WaitForQuota(wait_id=wait_id, step_path=frame.path, reason=failure.message)
        self._recorder.wait_opened(effect, frame, step, at)
        self._state.pending = effect
