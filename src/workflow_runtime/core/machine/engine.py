"""One move of the machine after another: what ``next`` and ``resume`` do, without their guard. Pure; workflow code."""

from collections.abc import Mapping
from typing import Any

from workflow_runtime.core.definition import ForEachStep, IfStep, NodeStep, ReturnStep, Step, TryCatchStep, step_path
from workflow_runtime.core.errors import CorruptionFailure, Failure, RuntimeFailureError, ValidationFailure
from workflow_runtime.core.expressions import Effort
from workflow_runtime.core.machine.context import StepContext, require_array, require_boolean
from workflow_runtime.core.machine.effects import (
    CallAction,
    Cancelled,
    Effect,
    Outcome,
    Project,
    Sleep,
    WaitForEvent,
    WaitForQuota,
    WaitForTask,
)
from workflow_runtime.core.machine.failing import FailureHandling
from workflow_runtime.core.machine.frames import BlockFrame, LoopFrame, StepFrame, TryFrame
from workflow_runtime.core.machine.lifecycle import Lifecycle
from workflow_runtime.core.machine.nodes import finish_node, start_node
from workflow_runtime.core.machine.outcomes import answer_of, event_id_of, wait_end
from workflow_runtime.core.machine.program import Program
from workflow_runtime.core.machine.recorder import Recorder, child_fields
from workflow_runtime.core.machine.run import Clock
from workflow_runtime.core.machine.scopes import Scopes
from workflow_runtime.core.machine.stack import Stack
from workflow_runtime.core.machine.state import MachineState


class Engine:
    """Moves one state along one program. May raise; ``Machine`` turns whatever it raises into the end of the run."""

    def __init__(self, state: MachineState, program: Program, action_queues: Mapping[str, str]) -> None:
        self._state = state
        self._program = program
        self._queues = action_queues
        self.effort = Effort()
        """What expressions have cost since the machine was asked for its next effect."""
        self._recorder = Recorder(state)
        self._stack = Stack(state, program, self._recorder)
        self.lifecycle = Lifecycle(state, self._stack, self._recorder)
        self._failing = FailureHandling(state, program, self._stack, self._recorder, self.lifecycle)

    @property
    def current_path(self) -> str | None:
        """The path of the step the run is at."""
        return self._stack.current_path()

    def tick(self, clock: Clock) -> None:
        """One move: enter and run the next step of a block, leave a block, or go on with what the block belongs to."""
        frame = self._stack.frames[-1] if self._stack.frames else None
        match frame:
            case None:
                self.lifecycle.succeed({}, clock)
            case BlockFrame():
                self._step_through(frame, clock)
            case LoopFrame():
                if not self._stack.next_item(frame):
                    self._stack.leave("SUCCEEDED", clock.now_iso())
            case StepFrame(phase="run"):
                self._attempt(frame, clock)
            case StepFrame(phase="block") | TryFrame():
                self._stack.leave("SUCCEEDED", clock.now_iso())
            case _:
                raise CorruptionFailure(f"{frame.item_path} waits for an effect that is not there", code="NO_EFFECT")

    def resume(self, outcome: Outcome, clock: Clock) -> None:
        """Take the answer to the pending effect."""
        if isinstance(outcome, Cancelled):
            self.lifecycle.cancel(clock)
            return
        effect, self._state.pending = self._state.pending, None
        if effect is None:
            raise CorruptionFailure("an outcome arrived and no effect was under way", code="NO_EFFECT")
        value, failure = answer_of(effect, outcome)
        if isinstance(effect, Project):
            if failure is not None:
                self.lifecycle.end(failure, clock)
            return
        frame = self._stack.top_step()
        self._record_answer(effect, outcome, value, failure, frame, clock)
        if frame.phase in ("backoff", "quota"):
            self._failing.begin_attempt(frame, clock, fresh_budget=frame.phase == "quota")
        elif failure is None:
            self._finish(frame, effect, value, clock)
        if failure is not None:
            self._failing.fail(failure, clock)

    def _step_through(self, block: BlockFrame, clock: Clock) -> None:
        if block.next >= len(self._program.block(block.path)):
            self._stack.frames.pop()
            return
        frame = StepFrame(
            path=step_path(block.path, block.next),
            item_path=step_path(block.item_path, block.next),
            started_at=clock.now_iso(),
        )
        block.next += 1
        self._state.step_count += 1
        self._stack.frames.append(frame)
        self._attempt(frame, clock)

    def _attempt(self, frame: StepFrame, clock: Clock) -> None:
        try:
            self._run(self._context(frame, clock), self._program.step(frame.path))
        except RuntimeFailureError as error:
            self._failing.fail(error.to_failure(), clock)

    def _run(self, cx: StepContext, step: Step) -> None:
        match step:
            case ReturnStep():
                self.lifecycle.succeed(dict(cx.local), cx.clock)
            case IfStep():
                taken = require_boolean(cx.value(step.condition), "the condition")
                self._recorder.step_started(cx.frame, step)
                cx.frame.phase = "block"
                self._stack.enter_block(cx.frame, "then" if taken else "else")
            case ForEachStep():
                _require_sequential(step)
                items = require_array(cx.value(step.items), "items")
                self._recorder.step_started(cx.frame, step)
                self._stack.enter_loop(step, cx.frame, items)
            case TryCatchStep():
                self._recorder.step_started(cx.frame, step)
                self._stack.enter_try(cx.frame)
            case _:
                self._start(cx, step)

    def _start(self, cx: StepContext, step: Step) -> None:
        result = start_node(cx, step)
        if isinstance(result, Scopes):
            self._state.scopes = result
            self._stack.leave("SUCCEEDED", cx.now)
        else:
            cx.frame.phase = "effect"
            self._issue(result, cx.frame, step, cx.now)

    def _finish(self, frame: StepFrame, effect: Effect, value: Any, clock: Clock) -> None:
        step = self._program.step(frame.path)
        if not isinstance(step, NodeStep):
            raise CorruptionFailure(f"step {step.id!r} asked for nothing and got an answer", code="NO_EFFECT")
        try:
            self._state.scopes = finish_node(self._context(frame, clock), step, effect, value)
        except RuntimeFailureError as error:
            self._failing.fail(error.to_failure(), clock)
        else:
            self._stack.leave("SUCCEEDED", clock.now_iso())

    def _context(self, frame: StepFrame, clock: Clock) -> StepContext:
        return StepContext(
            self._state.run, self._state.scopes, self._stack.local(), frame, clock, self._queues, self.effort
        )

    def _issue(self, effect: Effect, frame: StepFrame, step: Step, at: str) -> None:
        self._state.pending = effect
        self._recorder.step_started(frame, step, child_fields(effect))
        match effect:
            case CallAction():
                self._recorder.run_moved(frame.path, at)
                self._recorder.action_started(effect, frame, at)
            case WaitForEvent() | WaitForTask() | Sleep() | WaitForQuota():
                self._recorder.wait_opened(effect, frame, step, at)
            case _:
                self._recorder.run_moved(frame.path, at)

    def _record_answer(
        self, effect: Effect, outcome: Outcome, value: Any, failure: Failure | None, frame: StepFrame, clock: Clock
    ) -> None:
        at = clock.now_iso()
        match effect:
            case CallAction():
                self._recorder.action_ended(frame, "FAILED" if failure else "SUCCEEDED", at, failure)
            case WaitForEvent() | WaitForTask() | WaitForQuota() | Sleep(reason="time"):
                self._recorder.wait_closed(effect, wait_end(outcome), at, event_id_of(effect, value))
                self._recorder.run_moved(frame.path, at)
            case _:
                pass


def _require_sequential(step: ForEachStep) -> None:
    if step.concurrency != 1:
        raise ValidationFailure(
            f"forEach {step.id!r} asks for concurrency {step.concurrency} and runs its items one by one: remove it",
            code="UNSUPPORTED_OPTION",
        )
