"""The stable codes of the boundary check: verdict, severity and meaning of each. Build process.

Each code has one page, docs/boundary/<code>.md; a test compares this table with those pages.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """What was found; the value is the name a person searches for."""

    FORBIDDEN_IMPORT = "forbidden-import"
    UNDECLARED_IMPORT = "undeclared-import"
    TRANSITIVE_IMPORT = "transitive-import"
    UNKNOWN_MODULE = "unknown-module"
    LAYER_IMPORT = "layer-import"
    UNDECIDABLE_IMPORT = "undecidable-import"
    STALE_DECLARATION = "stale-declaration"
    UNUSED_DECLARATION = "unused-declaration"
    IMPORT_FAILURE = "import-failure"
    IMPORT_SIDE_EFFECT = "import-side-effect"
    NONDETERMINISM = "nondeterminism"
    WITNESS_DISAGREEMENT = "witness-disagreement"


class Severity(StrEnum):
    """Only an error makes the build fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One code: its verdict (the word in the report's heading), severity and a sentence."""

    verdict: str
    severity: Severity
    summary: str

    def page(self, code: Code) -> str:
        """Where the code is explained, relative to the repository."""
        return f"docs/boundary/{code}.md"


RULES: Final[dict[Code, Rule]] = {
    Code.FORBIDDEN_IMPORT: Rule(
        "forbidden", Severity.ERROR, "A module of the image reaches a package that this image may never contain."
    ),
    Code.UNDECLARED_IMPORT: Rule(
        "undeclared", Severity.ERROR, "A module of the image reaches a package outside the image's declared closure."
    ),
    Code.TRANSITIVE_IMPORT: Rule(
        "undeclared",
        Severity.ERROR,
        "First-party code imports a distribution that is present only as a dependency of another.",
    ),
    Code.UNKNOWN_MODULE: Rule("undeclared", Severity.ERROR, "Nothing in the image or in the lock provides the module."),
    Code.LAYER_IMPORT: Rule("forbidden", Severity.ERROR, "A lower layer imports a higher one."),
    Code.UNDECIDABLE_IMPORT: Rule(
        "undecidable", Severity.ERROR, "A line loads a module whose name cannot be read from the source."
    ),
    Code.STALE_DECLARATION: Rule(
        "stale", Severity.ERROR, "A boundary comment or a declared package no longer matches the source."
    ),
    Code.UNUSED_DECLARATION: Rule(
        "unused", Severity.WARNING, "A declared distribution or package is imported by nothing."
    ),
    Code.IMPORT_FAILURE: Rule("broken", Severity.ERROR, "A module cannot be imported under exactly the image's files."),
    Code.IMPORT_SIDE_EFFECT: Rule("impure", Severity.ERROR, "Importing a module does more than define names."),
    Code.NONDETERMINISM: Rule(
        "nondeterministic",
        Severity.ERROR,
        "Code that runs inside a Temporal workflow reaches a clock, chance, I/O, a thread or the environment.",
    ),
    Code.WITNESS_DISAGREEMENT: Rule(
        "disagreement", Severity.NOTE, "The import run saw an import inside the closure which the AST walk cannot see."
    ),
}
