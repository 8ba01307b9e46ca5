"""One thing the check has to say, with everything a reader needs to act on it. Build process."""

from dataclasses import dataclass

from boundary.codes import RULES, Code, Severity


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a chain: the line that leads on, and what it leads to."""

    path: str
    line: int | None
    text: str
    target: str

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation, warning or note of one image.

    ``chain`` runs from the image's entry point to the offending line; ``other_chains`` counts the other ways there
    (``None`` when chains do not apply). ``remedy`` is one alternative a line, ready to paste.
    """

    image: str
    code: Code
    path: str
    line: int | None
    subject: str
    message: str
    text: str = ""
    form: str | None = None
    certainty: str | None = None
    witness: str | None = None
    context: str | None = None
    chain: tuple[Hop, ...] = ()
    chain_note: str | None = None
    other_chains: int | None = None
    owner: str | None = None
    declaration: str | None = None
    remedy: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        return RULES[self.code].severity

    @property
    def verdict(self) -> str:
        return RULES[self.code].verdict

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    def order(self) -> tuple[str, int, str, int, str, str]:
        """Sort key: image, worst first, then file, line, subject."""
        rank = (Severity.ERROR, Severity.WARNING, Severity.NOTE).index(self.severity)
        return (self.image, rank, self.path, self.line or 0, self.subject, self.code)
