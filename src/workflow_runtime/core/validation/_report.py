"""Collects findings, each tied to the place it is about. Private to ``core.validation``."""

from workflow_runtime.core.definition import ROOT_PATH, PlacedStep
from workflow_runtime.core.findings import Finding, FindingCode


class Report:
    """The findings so far; ``at`` narrows it to one step."""

    def __init__(self) -> None:
        self._findings: dict[Finding, None] = {}

    @property
    def findings(self) -> list[Finding]:
        return list(self._findings)

    def add(self, finding: Finding) -> None:
        """Keep a finding; a repetition changes nothing."""
        self._findings[finding] = None

    def at(self, placed: PlacedStep) -> "Place":
        return Place(self, placed.path, placed.step.id)

    @property
    def root(self) -> "Place":
        return Place(self, ROOT_PATH, None)


class Place:
    """A report that adds its path and step id to every finding."""

    def __init__(self, report: Report, path: str, step_id: str | None) -> None:
        self._report = report
        self._path = path
        self._step_id = step_id

    def error(self, code: FindingCode, message: str, suggestion: str | None = None) -> None:
        self._add("error", code, message, suggestion)

    def warning(self, code: FindingCode, message: str, suggestion: str | None = None) -> None:
        self._add("warning", code, message, suggestion)

    def _add(self, severity: str, code: FindingCode, message: str, suggestion: str | None) -> None:
        finding = Finding(
            severity="error" if severity == "error" else "warning",
            code=code,
            step_id=self._step_id,
            step_path=self._path,
            message=message,
            suggestion=suggestion,
        )
        self._report.add(finding)
