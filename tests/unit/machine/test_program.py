"""The program of a published definition: read once, shared, and never another than the pinned one."""

from typing import Any

import pytest
from tests.fakes.machine import assign, define

from workflow_runtime.core.canonical import definition_hash
from workflow_runtime.core.errors import CorruptionFailure
from workflow_runtime.core.machine import Program, published_program


def published(**values: Any) -> tuple[str, Any]:
    """The hash and the JSON of a definition."""
    definition = define(assign("a", **values))
    return definition_hash(definition), definition.model_dump(mode="json", by_alias=True, exclude_unset=True)


def test_runs_of_one_version_share_its_program() -> None:
    pinned_hash, data = published(n=1)
    program = published_program(pinned_hash, data)
    assert program.hash == pinned_hash
    assert published_program(pinned_hash, data) is program
    other_hash, other = published(n=2)
    assert published_program(other_hash, other) is not program


def test_a_definition_that_is_not_the_pinned_one_is_refused_and_the_right_one_taken_afterwards() -> None:
    pinned_hash, data = published(n=3)
    _, other = published(n=4)
    with pytest.raises(CorruptionFailure) as refused:
        published_program(pinned_hash, other)
    assert refused.value.code == "DEFINITION_HASH"
    assert published_program(pinned_hash, data).hash == pinned_hash


def test_a_definition_this_worker_cannot_read_is_refused_with_its_findings() -> None:
    with pytest.raises(CorruptionFailure, match="not one this worker understands") as refused:
        published_program("0" * 64, {"id": "w", "steps": "none"})
    assert refused.value.code == "INVALID_WORKFLOW_DEFINITION"


def test_a_program_knows_its_definition() -> None:
    definition = define(assign("a", n=1))
    assert Program(definition).definition is definition
