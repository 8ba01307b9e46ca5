"""Judge a definition before it is published. Pure; called by the process that publishes, never while a run runs.

Source: RUNTIME.md section 10. One answer carries all findings; any error forbids publishing, warnings do not.
"""

import re
from typing import Final

from workflow_runtime.core.canonical import canonical_json
from workflow_runtime.core.definition import Definition, parse_definition, walk_steps
from workflow_runtime.core.findings import Finding, FindingCode
from workflow_runtime.core.validation._flow import check_flow
from workflow_runtime.core.validation._report import Place, Report
from workflow_runtime.core.validation._sound import NO_SCHEMA_REF, sound_parts
from workflow_runtime.core.validation._steps import StepChecker
from workflow_runtime.core.validation._trigger import check_trigger
from workflow_runtime.core.validation.environment import Environment

MAX_ID_LENGTH: Final = 200
MAX_DEFINITION_BYTES: Final = 1024 * 1024
"""Some ten thousand steps. A worker reads the whole of it within one workflow task, which may take two seconds."""
_NO_ID: Final = re.compile(r"[/\x00-\x1f\x7f]")


def validate_for_publish(definition: Definition, environment: Environment) -> list[Finding]:
    """Every finding about a definition that reads well, in the order of its steps. Never raises."""
    report = Report()
    _check_id(report.root, definition.id)
    _check_size(report.root, definition)
    check_trigger(report.root, definition, environment)
    check_flow(report, definition)
    checker = StepChecker(report, definition, environment)
    for placed in walk_steps(definition):
        checker.check(placed)
    return report.findings


def validate_document(data: object, environment: Environment) -> tuple[Definition | None, list[Finding]]:
    """A definition from untrusted data with all findings, those of its shape and those of its meaning.

    The definition is None when its shape is wrong; its sound parts are then judged all the same, so that the author
    sees everything at once. Never raises.
    """
    definition, findings = parse_definition(data)
    if definition is not None:
        return definition, validate_for_publish(definition, environment)
    sound = sound_parts(data, findings)
    if sound is None:
        return None, findings
    unreal = sound.payload_schema_ref == NO_SCHEMA_REF
    more = [
        finding
        for finding in validate_for_publish(sound, environment)
        if not (unreal and finding.code is FindingCode.UNKNOWN_PAYLOAD_SCHEMA_REF)
    ]
    return None, [*findings, *(finding for finding in more if finding not in findings)]


def id_problem(workflow_id: str) -> str | None:
    """Why nobody could address a workflow of this id; None when they can.

    >>> id_problem("a/b")
    "id: 'a/b' cannot stand in an address; use 1 to 200 characters without / and control characters."
    """
    if (
        workflow_id.strip() not in ("", ".", "..")
        and len(workflow_id) <= MAX_ID_LENGTH
        and not _NO_ID.search(workflow_id)
    ):
        return None
    return (
        f"id: {workflow_id[:MAX_ID_LENGTH]!r} cannot stand in an address; use 1 to {MAX_ID_LENGTH} characters "
        "without / and control characters."
    )


def _check_id(place: Place, workflow_id: str) -> None:
    problem = id_problem(workflow_id)
    if problem is not None:
        place.error(FindingCode.INVALID_WORKFLOW_DEFINITION, problem)


def _check_size(place: Place, definition: Definition) -> None:
    size = len(canonical_json(definition.to_wire()).encode())
    if size > MAX_DEFINITION_BYTES:
        place.error(
            FindingCode.INVALID_WORKFLOW_DEFINITION,
            f"The definition is {size} bytes of JSON, the limit is {MAX_DEFINITION_BYTES}; move parts of it into "
            "workflows of their own and call them with control.callWorkflow.",
        )
