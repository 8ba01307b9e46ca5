"""The report for code hosts and editors: SARIF 2.1.0, one run for all images. Build process.

Paths are relative to the repository. A chain becomes a code flow, so that a viewer steps from the image's declaration
to the offending line.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from boundary.codes import RULES, Code
from boundary.findings import Finding, Hop
from boundary.report_json import finding_document
from boundary.results import ImageResult

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ORDER: Final = tuple(Code)


def render_sarif(results: Sequence[ImageResult]) -> str:
    """The whole report as one SARIF log."""
    run = {
        "tool": {"driver": {"name": "boundary", "rules": [_rule(code) for code in _ORDER]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"REPOSITORY": {"description": {"text": "the root of the repository"}}},
        "results": [_result(finding) for result in results for finding in result.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(code: Code) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.summary},
        "help": {"text": f"See {rule.page(code)}."},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: Finding) -> dict[str, Any]:
    remedy = "".join(f"\n{line}" for line in finding.remedy)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": _ORDER.index(finding.code),
        "level": finding.severity,
        "message": {"text": f"{finding.image}: {finding.message}{remedy}"},
        "locations": [_location(finding.path, finding.line, finding.text)],
        "properties": {"image": finding.image, **finding_document(finding)},
    }
    if finding.chain:
        steps = [{"location": _hop(hop)} for hop in finding.chain]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return result


def _hop(hop: Hop) -> dict[str, Any]:
    return {**_location(hop.path, hop.line, hop.text), "message": {"text": f"leads to {hop.target}"}}


def _location(path: str, line: int | None, text: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": path, "uriBaseId": "REPOSITORY"}}
    if line:
        place["region"] = {"startLine": line, **({"snippet": {"text": text}} if text else {})}
    return {"physicalLocation": place}
