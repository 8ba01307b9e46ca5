"""Everything a machine remembers, and its form in a checkpoint. Pure; called from workflow code."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from workflow_runtime.core.errors import CorruptionFailure
from workflow_runtime.core.machine.effects import Effect, Failed, Succeeded
from workflow_runtime.core.machine.frames import Frame, TaggedFrame
from workflow_runtime.core.machine.run import RunContext
from workflow_runtime.core.machine.scopes import Scopes
from workflow_runtime.core.projection import ProjectionRecord

CHECKPOINT_VERSION: Final = 1

_FRAMES: Final = TypeAdapter[list[Frame]](list[TaggedFrame])
_EFFECT: Final = TypeAdapter[Effect | None](Annotated[Effect, Field(discriminator="kind")] | None)
_RECORDS: Final = TypeAdapter(list[ProjectionRecord])


@dataclass(slots=True)
class MachineState:
    """``pending`` is the effect under way, or the final one. ``seq`` is the number of the last projection record.

    ``started_at`` is null until the machine moves for the first time.
    """

    run: RunContext
    scopes: Scopes
    started_at: str | None = None
    frames: list[Frame] = field(default_factory=list)
    pending: Effect | None = None
    seq: int = 0
    step_count: int = 0
    records: list[ProjectionRecord] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether the run has ended; ``pending`` then holds how."""
        return isinstance(self.pending, Succeeded | Failed)


def dump_state(state: MachineState) -> dict[str, Any]:
    """The checkpoint: a JSON object which shares the values of the scopes and nothing that will change."""
    return {
        "version": CHECKPOINT_VERSION,
        "run": _dump(state.run),
        "startedAt": state.started_at,
        "scopes": state.scopes.as_dict(),
        "frames": [_dump(frame) for frame in state.frames],
        "pending": None if state.pending is None else _dump(state.pending),
        "seq": state.seq,
        "stepCount": state.step_count,
        "records": [_dump(record) for record in state.records],
    }


def load_state(checkpoint: object) -> MachineState:
    """The state a checkpoint describes. Raises ``CorruptionFailure`` for what ``dump_state`` cannot have written."""
    if not isinstance(checkpoint, dict) or checkpoint.get("version") != CHECKPOINT_VERSION:
        found = checkpoint.get("version") if isinstance(checkpoint, dict) else type(checkpoint).__name__
        raise CorruptionFailure(
            f"the checkpoint has version {found!r} and this worker reads version {CHECKPOINT_VERSION}: "
            "run the worker that wrote it",
            code="CHECKPOINT_VERSION",
        )
    try:
        return MachineState(
            run=RunContext.model_validate(checkpoint["run"]),
            started_at=checkpoint["startedAt"],
            scopes=Scopes(**checkpoint["scopes"]),
            frames=_FRAMES.validate_python(checkpoint["frames"]),
            pending=_EFFECT.validate_python(checkpoint["pending"], strict=False),
            seq=checkpoint["seq"],
            step_count=checkpoint["stepCount"],
            records=_RECORDS.validate_python(checkpoint["records"]),
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise CorruptionFailure(f"the checkpoint is damaged: {error}", code="CHECKPOINT_DAMAGED") from error


def _dump(record: BaseModel) -> dict[str, Any]:
    """Like ``model_dump`` but sharing JSON values instead of copying them: scopes and inputs may be large and deep."""
    return {info.alias or name: _dump_value(getattr(record, name)) for name, info in type(record).model_fields.items()}


def _dump_value(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _dump(value)
    if isinstance(value, tuple):
        return [_dump_value(item) for item in value]
    return value
