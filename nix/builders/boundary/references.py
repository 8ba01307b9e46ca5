"""What a witness saw: one reference from a first-party line to a module. Build process."""

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
class Reference:
    """One line that names a module. ``attribute`` is what ``from`` takes of it: a name or a submodule."""

    importer: str
    path: str
    line: int
    end_line: int
    target: str
    attribute: str | None
    form: str
    certainty: Certainty
    text: str
    context: str = "module body"
    witness: Witness = Witness.AST

    @property
    def candidates(self) -> tuple[str, ...]:
        """The names the reference may load, most specific first."""
        return (f"{self.target}.{self.attribute}", self.target) if self.attribute else (self.target,)
