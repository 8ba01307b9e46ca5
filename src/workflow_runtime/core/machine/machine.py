"""The public face of the frame machine. Pure and deterministic; called from workflow code and from tests.

The shell's loop::

    machine = Machine.start(Program(definition), run, payload, action_queues=queues)   # or Machine.restore(...)
    while True:
        effect = machine.next(clock)
        if isinstance(effect, Succeeded | Failed): ...end
        outcome = ...perform the effect...
        machine.resume(outcome, clock)

``next`` gives the same effect until ``resume`` answers it, and the final one for ever. Between any two calls
``checkpoint`` gives a JSON object from which ``restore`` makes a machine that does the same from there on.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

from workflow_runtime.core.canonical import MAX_VALUE_DEPTH, to_json
from workflow_runtime.core.contract import RUNTIME_SEMANTICS_VERSION, InterpreterSummary
from workflow_runtime.core.errors import Category, CorruptionFailure, Failure
from workflow_runtime.core.machine.effects import (
    Effect,
    Failed,
    Outcome,
    Project,
    Sleep,
    WaitForEvent,
    WaitForQuota,
    WaitForTask,
)
from workflow_runtime.core.machine.engine import Engine
from workflow_runtime.core.machine.program import Program
from workflow_runtime.core.machine.recorder import WaitEffect
from workflow_runtime.core.machine.run import Clock, RunContext
from workflow_runtime.core.machine.scopes import Scopes
from workflow_runtime.core.machine.state import MachineState, dump_state, load_state
from workflow_runtime.core.projection import ProjectionRecord

DEFAULT_SLICE: Final = 200
"""Moves without an effect after which ``next`` gives ``Project``, so that a workflow task ends in bounded time."""


MAX_EFFORT: Final = 200_000
"""Values that expressions may look at between two effects: a fifth of a second, where Temporal allows a workflow two.
What takes longer fails the workflow task, again and again."""


class Machine:
    """One run of one program. Make it with ``start`` or ``restore``.

    ``next`` and ``resume`` never raise: a failure of the machine itself ends the run with ``InterpreterCorruption``.
    """

    def __init__(
        self, program: Program, state: MachineState, action_queues: Mapping[str, str], slice_size: int
    ) -> None:
        _require_known_semantics(state.run)
        _require_pinned(program, state.run)
        self._program = program
        self._queues = action_queues
        self._state = state
        self._engine = Engine(state, program, action_queues)
        self._slice = slice_size

    @classmethod
    def start(
        cls,
        program: Program,
        run: RunContext,
        payload: Any,
        *,
        action_queues: Mapping[str, str],
        slice_size: int = DEFAULT_SLICE,
    ) -> Self:
        """A machine before its first step.

        ``action_queues`` maps ``"<actionId>@<version>"`` to the task queue pinned at publish. Raises
        ``ValidationFailure`` (``NOT_JSON``) for a payload that no scope may hold, and ``CorruptionFailure``:
        ``DEFINITION_HASH`` when the program is not the one that ``run.definition_hash`` names, ``SEMANTICS_VERSION``
        when the run needs a newer worker.
        """
        scopes = Scopes.initial(to_json(payload, MAX_VALUE_DEPTH))
        return cls(program, MachineState(run, scopes), action_queues, slice_size)

    @classmethod
    def restore(
        cls,
        program: Program,
        checkpoint: object,
        *,
        action_queues: Mapping[str, str],
        slice_size: int = DEFAULT_SLICE,
    ) -> Self:
        """A machine that goes on where ``checkpoint`` was taken.

        Raises ``CorruptionFailure``: ``CHECKPOINT_DAMAGED``, ``DEFINITION_HASH``, and ``CHECKPOINT_VERSION`` or
        ``SEMANTICS_VERSION`` when this worker is the wrong one and another can go on with the run.
        """
        return cls(program, load_state(checkpoint), action_queues, slice_size)

    def copy(self) -> Self:
        """A machine that stands where this one does; what becomes of it is nothing to this one."""
        return type(self).restore(self._program, self.checkpoint(), action_queues=self._queues, slice_size=self._slice)

    @property
    def run(self) -> RunContext:
        """The identity of the run."""
        return self._state.run

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return self._state.finished

    def next(self, clock: Clock) -> Effect:
        """Work until the world is needed, the slice is used up, or the run ends; never raises."""
        try:
            return self._advance(clock)
        except Exception as error:
            return self._corrupt(error, clock)

    def resume(self, outcome: Outcome, clock: Clock) -> None:
        """Answer the effect that ``next`` gave; never raises.

        ``Cancelled`` is taken at any time before the end, with or without an effect under way. Whatever arrives after
        the end is ignored.
        """
        if self._state.finished:
            return
        try:
            self._engine.resume(outcome, clock)
        except Exception as error:
            self._corrupt(error, clock)

    def checkpoint(self) -> dict[str, Any]:
        """The machine as a JSON object; it shares values with the machine and must not be changed."""
        return dump_state(self._state)

    def take_projections(self) -> list[ProjectionRecord]:
        """The records since the last call, in order; the machine forgets them."""
        taken, self._state.records = self._state.records, []
        return taken

    def summary(self) -> InterpreterSummary:
        """Answer of the query ``workflowRuntimeV2InterpreterSummary``."""
        return InterpreterSummary(
            run_id=self._state.run.run_id,
            step_count=self._state.step_count,
            current_step_path=self._engine.current_path,
            frame_depth=len(self._state.frames),
        )

    def current_wait(self) -> WaitEffect | None:
        """The wait the run is in, the delay before a retry included; None while it runs or has ended."""
        pending = self._state.pending
        return pending if isinstance(pending, WaitForEvent | WaitForTask | Sleep | WaitForQuota) else None

    def _advance(self, clock: Clock) -> Effect:
        self._engine.lifecycle.begin(clock)
        self._engine.effort.values = 0
        for _ in range(self._slice):
            if self._state.pending is not None:
                return self._state.pending
            if self._engine.effort.values > MAX_EFFORT:
                break
            self._engine.tick(clock)
        if self._state.pending is None:
            self._state.pending = Project()
        return self._state.pending

    def _corrupt(self, error: Exception, clock: Clock) -> Effect:
        failure = _corruption(error)
        self._state.pending = None
        try:
            self._engine.lifecycle.end(failure, clock)
        except Exception:
            # Not even the end could be recorded; the shell still has to learn that the run is over.
            self._state.frames.clear()
        if not self._state.finished:
            self._state.pending = Failed(failure=failure)
        return self._state.pending or Failed(failure=failure)


def _require_known_semantics(run: RunContext) -> None:
    if run.runtime_semantics_version > RUNTIME_SEMANTICS_VERSION:
        raise CorruptionFailure(
            f"run {run.run_id!r} began under semantics version {run.runtime_semantics_version} and this worker knows "
            f"{RUNTIME_SEMANTICS_VERSION}: run a worker at least as new as the one it began on",
            code="SEMANTICS_VERSION",
        )


def _require_pinned(program: Program, run: RunContext) -> None:
    if program.hash != run.definition_hash:
        definition = program.definition
        raise CorruptionFailure(
            f"run {run.run_id!r} is pinned to the definition with the hash {run.definition_hash!r}, this one "
            f"of workflow {definition.id!r} version {definition.version} has {program.hash!r}: load the one the run "
            f"began with",
            code="DEFINITION_HASH",
        )


def _corruption(error: Exception) -> Failure:
    if isinstance(error, CorruptionFailure):
        return error.to_failure()
    text = f"{type(error).__name__}: {error}".encode(errors="replace").decode()
    return Failure(category=Category.CORRUPTION, code="UNEXPECTED", message=text)
