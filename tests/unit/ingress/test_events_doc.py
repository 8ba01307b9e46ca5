"""docs/EVENTS.md is true about what it names: fields, guarantees with their mechanisms and tests, metrics."""

import ast
import functools
import json
import re
from pathlib import Path
from typing import Final

import pytest

from workflow_runtime.store.events import MalformedEventError, TargetStatus, parse_fields

ROOT: Final = Path(__file__).parents[3]
TEXT: Final = (ROOT / "docs" / "EVENTS.md").read_text(encoding="utf-8")
FIELDS: Final = {
    name: needed == "yes"
    for names, needed in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (yes|no) \|", TEXT, flags=re.MULTILINE)
    for name in re.findall(r"\w+", names)
}
SECTIONS: Final = dict(re.findall(r"^### G(\d+) .+?\n(.*?)(?=^###? )", TEXT, flags=re.DOTALL | re.MULTILINE))
TEST_NAMES: Final = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
EVENT: Final = {
    "event_id": "0a3f1f8e-5f0b-4a0e-9a53-3b6a3c1e7f10",
    "event_type": "TICKET_CREATED",
    "tenant": "acme",
    "timestamp": "2026-01-31T09:30:00Z",
    "payload_json": json.dumps({"ticketId": "T-1"}),
}


@functools.cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_exactly_the_fields_that_are_needed_are_called_so() -> None:
    assert {name for name, needed in FIELDS.items() if needed} == EVENT.keys()
    assert parse_fields(dict(EVENT)).event_name == "TICKET_CREATED"
    for name in EVENT:
        with pytest.raises(MalformedEventError, match=f"^not an event: {name}: "):
            parse_fields({key: value for key, value in EVENT.items() if key != name})


def test_the_other_fields_are_taken_as_they_are_described() -> None:
    others = {name for name, needed in FIELDS.items() if not needed}
    assert {"event_name", "workflow_correlation_key", "user_id"} < others
    event = parse_fields(EVENT | {name: f"x-{name}" for name in others} | {"of_your_own": "x"})
    assert event.event_name == "x-event_name"
    assert event.explicit_key == "x-workflow_correlation_key"
    assert event.fields["of_your_own"] == "x"


def test_every_state_of_a_target_is_explained() -> None:
    listed = TEXT.partition("| state of a target |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([A-Z]+)`", listed)) == set(TargetStatus)


def test_every_guarantee_has_a_mechanism_and_a_test() -> None:
    assert list(SECTIONS) == [str(number) for number in range(1, 13)]
    for number, body in SECTIONS.items():
        mechanism, _, tests = body.partition("Tests:")
        sources = re.findall(r"`(src/[\w/.]+)`", mechanism)
        assert sources, f"G{number} names no mechanism"
        assert re.findall(r"`tests/[\w/]+\.py::\w+`", tests), f"G{number} names no test"
        for source in sources:
            assert (ROOT / source).is_file(), f"G{number}: {source} is not there"


@pytest.mark.parametrize(("path", "name"), TEST_NAMES, ids=lambda value: value.rpartition("/")[2])
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in functions_of(path)


def test_every_metric_of_ours_is_listed_and_no_other() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "src").rglob("*.py")
        if path.name in {"metrics.py", "action_metrics.py", "event_metrics.py", "store_metrics.py"}
    )
    made = {name.removesuffix("_total") for name in re.findall(r'"(workflow_\w*[a-z])"', sources)}
    made |= {
        f"workflow_ingress_{name}" for name in re.findall(r'^            \("(\w+)", ', sources, flags=re.MULTILINE)
    }
    table = TEXT.partition("## Metrics")[2].partition("\n\nWhat to wake")[0]
    assert {name.removesuffix("_total") for name in re.findall(r"`(workflow_\w+)", table)} == made
