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
"""Form of a checkpoint. It rises with whatever an older worker could not read, the shell's mailbox included."""

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
    """The state a checkpoint describes.

    Raises ``CorruptionFailure``: CHECKPOINT_VERSION for one of a newer worker, CHECKPOINT_DAMAGED for what no worker
    can have written.
    """
    found = readable_checkpoint(checkpoint)
    try:
        return MachineState(
            run=RunContext.model_validate(found["run"]),
            started_at=found["startedAt"],
            scopes=Scopes(**found["scopes"]),
            frames=_FRAMES.validate_python(found["frames"]),
            pending=_EFFECT.validate_python(found["pending"], strict=False),
            seq=found["seq"],
            step_count=found["stepCount"],
            records=_RECORDS.validate_python(found["records"]),
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise _damaged(str(error)) from error


def readable_checkpoint(checkpoint: object) -> dict[str, Any]:
    """``checkpoint``, whose form is the one this worker writes. Raises ``CorruptionFailure`` as ``load_state`` does."""
    if not isinstance(checkpoint, dict):
        raise _damaged(f"it is {type(checkpoint).__name__}")
    version = checkpoint.get("version")
    if type(version) is int and version > CHECKPOINT_VERSION:
        raise CorruptionFailure(
            f"the checkpoint has version {version} and this worker reads version {CHECKPOINT_VERSION}: "
            "run a worker at least as new as the one that wrote it",
            code="CHECKPOINT_VERSION",
        )
    if type(version) is not int or version != CHECKPOINT_VERSION:
        raise _damaged(f"its version is {version!r}")
    return checkpoint


def _damaged(reason: str) -> CorruptionFailure:
    return CorruptionFailure(f"the checkpoint is damaged: {reason}", code="CHECKPOINT_DAMAGED")


def _dump(record: BaseModel) -> dict[str, Any]:
    """Like ``model_dump`` but sharing JSON values instead of copying them: scopes and inputs may be large and deep."""
    return {info.alias or name: _dump_value(getattr(record, name)) for name, info in type(record).model_fields.items()}


def _dump_value(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _dump(value)
    if isinstance(value, tuple):
        return [_dump_value(item) for item in value]
    return value
