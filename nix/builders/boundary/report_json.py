"""The report for programs: everything the text report says, as one JSON document. Build process.

``{version: 1, images: [{image, verdict: ok | refused, modules, references, findings: [{code, severity, verdict, path,
line, subject, message, text, form, certainty, witness, context, chain: [{path, line, text, target}], chainNote,
otherChains, owner, declaration, remedy: [line], page}]}]}``; keys without a value are left out.
"""

import json
from collections.abc import Sequence
from typing import Any

from boundary.codes import RULES
from boundary.findings import Finding
from boundary.results import ImageResult


def render_json(results: Sequence[ImageResult]) -> str:
    """The whole report as one line-broken JSON text."""
    return (
        json.dumps({"version": 1, "images": [_image(result) for result in results]}, indent=2, ensure_ascii=False)
        + "\n"
    )


def _image(result: ImageResult) -> dict[str, Any]:
    return {
        "image": result.image,
        "verdict": "refused" if result.refused else "ok",
        "modules": result.modules,
        "references": result.references,
        "findings": [finding_document(finding) for finding in result.findings],
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as JSON values."""
    document = {
        "code": finding.code,
        "severity": finding.severity,
        "verdict": finding.verdict,
        "path": finding.path,
        "line": finding.line,
        "subject": finding.subject,
        "message": finding.message,
        "text": finding.text or None,
        "form": finding.form,
        "certainty": finding.certainty,
        "witness": finding.witness,
        "context": finding.context,
        "chain": [{"path": h.path, "line": h.line, "text": h.text, "target": h.target} for h in finding.chain] or None,
        "chainNote": finding.chain_note,
        "otherChains": finding.other_chains,
        "owner": finding.owner,
        "declaration": finding.declaration,
        "remedy": list(finding.remedy) or None,
        "page": RULES[finding.code].page(finding.code),
    }
    return {key: value for key, value in document.items() if value is not None}
