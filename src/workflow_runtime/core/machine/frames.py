"""The machine's stack: small records that say where a run stands. Pure data; serialised in every checkpoint.

A run of a definition is a stack of frames instead of a stack of Python calls, so that nesting is bounded by memory only
and any moment can be written down. ``BlockFrame`` runs the steps of one block in order and stands directly above the
frame of the step that owns the block; the other frames each stand for one step that was entered and has not ended.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Frame(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    path: str
    """Path in the definition: ``root.steps[1].body.steps[0]`` (a block: ``root.steps[1].body``)."""
    item_path: str
    """The same with loop indexes, unique in the run: ``root.steps[1].body[3].steps[0]``."""


class BlockFrame(_Frame):
    """The steps of one block; ``next`` is the index of the step to enter."""

    kind: Literal["block"] = "block"
    next: int = 0


class _EnteredFrame(_Frame):
    started_at: str
    attempt: int = 1
    """Counts from 1 over the whole life of the step and never goes back."""
    announced: bool = False
    """Whether a STARTED record for this attempt has been given out."""


class StepFrame(_EnteredFrame):
    """A step that runs, waits for its effect, waits for its next attempt, or (control.if) for its block."""

    kind: Literal["step"] = "step"
    phase: Literal["run", "effect", "backoff", "quota", "block"] = "run"
    tries: int = 1
    """Attempts since the retry budget began: a run resumed by the quota signal begins a new one."""


class LoopFrame(_EnteredFrame):
    """A forEach between or inside its items. ``shadowed`` is what ``vars.<itemVar>`` held before, if anything."""

    kind: Literal["loop"] = "loop"
    item_var: str
    items: Any
    index: int = -1
    had_var: bool
    shadowed: Any = None

    def local(self) -> dict[str, Any]:
        """The local scope of the present item."""
        item = self.items[self.index]
        return {
            "item": item,
            "index": self.index,
            "length": len(self.items),
            "isFirst": self.index == 0,
            "isLast": self.index == len(self.items) - 1,
            self.item_var: item,
        }


class TryFrame(_EnteredFrame):
    """A tryCatch in its try or its catch block; ``outer_error`` is restored to ``error`` when the catch block ends."""

    kind: Literal["try"] = "try"
    phase: Literal["try", "catch"] = "try"
    outer_error: Any = None


type EnteredFrame = StepFrame | LoopFrame | TryFrame
type Frame = BlockFrame | EnteredFrame
type TaggedFrame = Annotated[BlockFrame | StepFrame | LoopFrame | TryFrame, Field(discriminator="kind")]


def local_scope(frames: list[Frame]) -> dict[str, Any]:
    """The innermost local scope, empty outside loops."""
    for frame in reversed(frames):
        if isinstance(frame, LoopFrame) and 0 <= frame.index < len(frame.items):
            return frame.local()
    return {}
