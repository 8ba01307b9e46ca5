"""The frames of a run: entering blocks, leaving steps, finding who handles a failure. Pure; workflow code."""

from typing import Literal

from workflow_runtime.core.definition import ForEachStep, TryCatchStep
from workflow_runtime.core.errors import CorruptionFailure, Failure
from workflow_runtime.core.machine.frames import BlockFrame, Frame, LoopFrame, StepFrame, TryFrame, local_scope
from workflow_runtime.core.machine.program import Program
from workflow_runtime.core.machine.recorder import Recorder, failure_record
from workflow_runtime.core.machine.state import MachineState

type Ending = Literal["SUCCEEDED", "FAILED", "CANCELED"]


class Stack:
    """Changes the frames and, with them, what is scoped to a frame: loop variables and the ``error`` of a catch."""

    def __init__(self, state: MachineState, program: Program, recorder: Recorder) -> None:
        self._state = state
        self._program = program
        self._recorder = recorder

    @property
    def frames(self) -> list[Frame]:
        """Bottom first."""
        return self._state.frames

    def top_step(self) -> StepFrame:
        """The step that runs or waits. Raises ``CorruptionFailure`` when the top is anything else."""
        top = self.frames[-1] if self.frames else None
        if not isinstance(top, StepFrame):
            raise CorruptionFailure("no step is under way at the top of the stack", code="NO_STEP")
        return top

    def current_path(self) -> str | None:
        """The path of the innermost entered step."""
        return next((frame.path for frame in reversed(self.frames) if not isinstance(frame, BlockFrame)), None)

    def enter_block(self, owner: StepFrame | LoopFrame | TryFrame, name: str, item: int | None = None) -> None:
        """Put a block of ``owner`` on top; ``item`` is the loop index."""
        suffix = name if item is None else f"{name}[{item}]"
        self.frames.append(BlockFrame(path=f"{owner.path}.{name}", item_path=f"{owner.item_path}.{suffix}"))

    def enter_loop(self, step: ForEachStep, frame: StepFrame, items: list[object]) -> None:
        """Make the step on top a loop that stands before its first item."""
        scoped = self._state.scopes.vars
        self.frames[-1] = LoopFrame(
            path=frame.path,
            item_path=frame.item_path,
            started_at=frame.started_at,
            announced=frame.announced,
            item_var=step.item_var,
            items=items,
            had_var=step.item_var in scoped,
            shadowed=scoped.get(step.item_var),
        )

    def enter_try(self, frame: StepFrame) -> None:
        """Make the step on top a tryCatch and enter its try block."""
        entered = TryFrame(
            path=frame.path, item_path=frame.item_path, started_at=frame.started_at, announced=frame.announced
        )
        self.frames[-1] = entered
        self.enter_block(entered, "try")

    def enter_catch(self, frame: TryFrame, failure: Failure) -> None:
        """Go on in the catch block of the tryCatch on top, where ``error`` is the failure."""
        step = self._program.step(frame.path)
        error = failure_record(failure)
        scopes = self._state.scopes
        frame.phase, frame.outer_error = "catch", scopes.error
        if isinstance(step, TryCatchStep) and step.capture_error_as:
            scopes = scopes.with_vars({step.capture_error_as: error})
        self._state.scopes = scopes.with_error(error)
        self.enter_block(frame, "catch")

    def next_item(self, frame: LoopFrame) -> bool:
        """Enter the body for the next item; False when there is none."""
        frame.index += 1
        if frame.index >= len(frame.items):
            return False
        self._state.scopes = self._state.scopes.with_vars({frame.item_var: frame.items[frame.index]})
        self.enter_block(frame, "body", frame.index)
        return True

    def leave(self, status: Ending, at: str, failure: Failure | None = None) -> None:
        """Take the top frame off, undo what was scoped to it, and record how it ended."""
        frame = self.frames.pop()
        match frame:
            case BlockFrame():
                return
            case LoopFrame():
                scopes = self._state.scopes
                self._state.scopes = (
                    scopes.with_vars({frame.item_var: frame.shadowed})
                    if frame.had_var
                    else scopes.without_var(frame.item_var)
                )
            case TryFrame(phase="catch"):
                self._state.scopes = self._state.scopes.with_error(frame.outer_error)
            case _:
                pass
        if isinstance(frame, StepFrame) and frame.phase == "backoff":
            return  # the attempt that failed has its row; the next one has not begun
        self._recorder.step_ended(frame, self._program.step(frame.path), status, at, failure)

    def unwind(self, keep: int, status: Ending, at: str, failure: Failure | None = None) -> None:
        """Leave every frame above the lowest ``keep``, innermost first."""
        while len(self.frames) > keep:
            self.leave(status, at, failure)

    def handler(self) -> int | None:
        """Index of the innermost frame that handles a failure of the step on top, or None.

        A tryCatch handles what its try block fails with, not its catch block; a forEach what its body fails with, when
        ``onItemError`` is ``continue``. The innermost of either kind wins: an explicit ``continue`` inside a try would
        otherwise mean nothing.
        """
        for index in range(len(self.frames) - 1, -1, -1):
            frame = self.frames[index]
            if isinstance(frame, TryFrame) and frame.phase == "try":
                return index
            if isinstance(frame, LoopFrame) and self._continues(frame):
                return index
        return None

    def local(self) -> dict[str, object]:
        """The innermost local scope."""
        return local_scope(self.frames)

    def _continues(self, frame: LoopFrame) -> bool:
        step = self._program.step(frame.path)
        return isinstance(step, ForEachStep) and step.on_item_error == "continue"
