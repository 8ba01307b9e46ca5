"""What publishing says of one workflow calling another."""

import pytest
from tests.unit.core.builders import (
    CALLED,
    call,
    codes,
    definition,
    environment,
    expr,
    findings_of,
    only,
)

from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.validation import (
    NoWorkflows,
    called_workflows,
)


@pytest.mark.parametrize(
    ("workflow_id", "version", "suggestion"),
    [
        ("chidl", 1, 'Did you mean "child"?'),
        ("child", 4, "Published versions of child: 1."),
        ("nothing-like-it", 1, None),
    ],
)
def test_a_called_workflow_must_be_published(workflow_id: str, version: int, suggestion: str | None) -> None:
    found = only(findings_of(call(workflow_id, version), env=environment(workflows=CALLED)))
    assert (found.code, found.suggestion) == (FindingCode.CALL_WORKFLOW_UNKNOWN, suggestion)
    assert codes(findings_of(call("child"), env=environment(workflows=NoWorkflows()))) == ["CALL_WORKFLOW_UNKNOWN"]


@pytest.mark.parametrize(
    ("workflow_id", "path"),
    [
        ("wf", "wf@1 -> wf@1"),
        ("caller", "wf@1 -> caller@1 -> wf@1"),
        ("far", "wf@1 -> far@1 -> caller@1 -> wf@1"),
        ("loop", "wf@1 -> loop@1 -> loop@2 -> loop@1"),
    ],
)
def test_a_call_that_would_never_end_is_found_with_its_path(workflow_id: str, path: str) -> None:
    found = only(findings_of(call(workflow_id), env=environment(workflows=CALLED)))
    assert found.code is FindingCode.CALL_WORKFLOW_CYCLE
    assert path in found.message


def test_calling_an_older_version_of_oneself_is_no_cycle() -> None:
    assert findings_of(call("older"), env=environment(workflows=CALLED)) == []


def test_a_childs_payload_must_fit_its_schema() -> None:
    env = environment(workflows=CALLED)
    assert codes(findings_of(call("child"), env=env)) == ["MISSING_REQUIRED_MAPPING"]
    assert codes(findings_of(call("child", inputMapping={"ticketId": 7}), env=env)) == ["MAPPING_TYPE_INCOMPATIBLE"]
    assert findings_of(call("child", inputMapping={"ticketId": expr("payload.ticketId")}), env=env) == []


def test_called_versions_are_listed_for_loading() -> None:
    parsed = definition(call("b", 2), {**call("a", 1), "id": "x"}, {**call("b", 2), "id": "y"})
    assert called_workflows(parsed) == (("a", 1), ("b", 2))
