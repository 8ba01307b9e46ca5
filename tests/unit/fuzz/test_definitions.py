"""Whatever a definition says: publishing judges it and never raises; the machine runs what it lets pass to an end."""

import json
import random
from typing import Any, Final

from tests.fakes.machine import DryRun
from tests.unit.core.builders import environment
from tests.unit.fuzz.documents import odd, right, wrong
from tests.unit.fuzz.rounds import rounds

from workflow_runtime.core.canonical import definition_hash
from workflow_runtime.core.definition import Definition, called_actions, has_errors, parse_definition
from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.machine import (
    Cancelled,
    Completed,
    Failed,
    FailedOutcome,
    Outcome,
    Succeeded,
    TimedOut,
)
from workflow_runtime.core.validation import validate_document

ENVIRONMENT: Final = environment()


def judged(data: Any) -> Definition | None:
    """The definition when it may be published; whatever else comes out is well formed."""
    definition, findings = validate_document(data, ENVIRONMENT)
    json.dumps([finding.model_dump(mode="json") for finding in findings], allow_nan=False)
    assert definition is not None or has_errors(findings)
    assert all(finding.step_path.startswith("root") and finding.message for finding in findings)
    return None if has_errors(findings) else definition


def outcome(rng: random.Random) -> Outcome:
    match rng.randrange(8):
        case 0:
            failure = Failure(category=rng.choice(list(Category)), code="C", message="m", details=odd(rng))
            return FailedOutcome(failure=failure)
        case 1:
            return TimedOut()
        case 2:
            return Completed(value=odd(rng))
        case 3 if rng.random() < 0.2:
            return Cancelled()
    return Completed(value={"eventName": "e", "payload": 1})


def ends(rng: random.Random, definition: Definition) -> None:
    """The run ends whatever its effects are answered, and can be written down at any time."""
    queues = {f"{action}@{version}": "queue" for action, version in called_actions(definition)}
    run = DryRun(definition, {"count": 2, "lines": [{"price": 1}] * 2}, queues=queues)
    for _ in range(60):
        effect = run.step()
        if isinstance(effect, Succeeded | Failed):
            break
        run.answer(outcome(rng))
    json.dumps(run.machine.checkpoint(), allow_nan=False)
    run.machine.resume(Cancelled(), run.clock)
    assert isinstance(run.machine.next(run.clock), Succeeded | Failed)
    records = [record.model_dump(mode="json") for record in (*run.records, *run.machine.take_projections())]
    json.dumps(records, allow_nan=False)


@rounds(16_000)
def test_a_wrong_definition_is_judged_and_never_raises(rng: random.Random) -> None:
    definition = judged(wrong(rng))
    if definition is not None:
        ends(rng, definition)


@rounds(6_000)
def test_a_definition_that_reads_keeps_its_meaning_and_runs_to_an_end(rng: random.Random) -> None:
    data = right(rng)
    definition, findings = parse_definition(data)
    assert definition is not None, findings
    again, _ = parse_definition(json.loads(json.dumps(definition.to_wire(), sort_keys=True)))
    assert again == definition
    assert definition_hash(again) == definition_hash(definition)
    judged(data)
    ends(rng, definition)
