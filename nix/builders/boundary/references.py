"""What a witness saw: a reference from a first-party line to a module, or a line nobody can decide. Build process."""

from dataclasses import dataclass
from enum import StrEnum


class Certainty(StrEnum):
    """How sure it is that the reference loads the module."""

    RUNTIME = "runtime"
    GUARDED = "guarded"
    TYPE_ONLY = "type-only"
    DYNAMIC = "dynamic literal"


class Witness(StrEnum):
    """Who saw it."""

    AST = "AST"
    RUN = "run"
    BOTH = "AST and run"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in first-party code. ``end_line`` closes the statement: a comment on any of its lines belongs to it."""

    module: str
    path: str
    line: int
    end_line: int
    text: str
    context: str = "module body"

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Reference:
    """One line that names a module.

    ``attribute`` is what a ``from`` import takes: a name in the module or a submodule of it. An ``object_path`` names
    something inside a module, of which only the longest module is looked for. A ``hint`` is a string that may name a
    module, ``one_of_several`` a value out of more: where such a name is nobody's, it means nothing.
    """

    spot: Spot
    target: str
    form: str
    certainty: Certainty
    attribute: str | None = None
    object_path: bool = False
    hint: bool = False
    one_of_several: bool = False
    witness: Witness = Witness.AST

    @property
    def candidates(self) -> tuple[str, ...]:
        """The names the reference may load, most specific first."""
        if self.object_path:
            parts = self.target.split(".")
            return tuple(".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return (f"{self.target}.{self.attribute}", self.target) if self.attribute else (self.target,)


@dataclass(frozen=True, slots=True)
class Undecidable:
    """One line that loads something whose name the source does not fix; ``reason`` says what is in the way."""

    spot: Spot
    form: str
    reason: str
    certainty: Certainty
