"""Every golden file: what a function of nix/ gives for its arguments, or the error it ends with.

A file is named `<module>.<function>.<case>.json` and holds `{"args": [...], "expected": ...}` or
`{"args": [...], "error": "regular expression"}`; subjects.nix says which function a name means.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.nix.evaluate import EvaluationError, evaluate

pytestmark = pytest.mark.nix

GOLDEN = Path(__file__).parent / "golden"
CASES: dict[str, dict[str, Any]] = {path.name: json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))}
VALUES = [name for name, case in CASES.items() if "expected" in case]
ERRORS = [name for name, case in CASES.items() if "error" in case]


@pytest.fixture(scope="module")
def actual() -> dict[str, Any]:
    """What Nix gives for all files that expect a value: one evaluation for all of them."""
    values: dict[str, Any] = evaluate("(import ./tests/nix/golden.nix).values")
    return values


def test_every_golden_file_expects_a_value_or_an_error() -> None:
    unclear = [name for name, case in CASES.items() if set(case) not in ({"args", "expected"}, {"args", "error"})]

    assert unclear == []
    assert VALUES
    assert ERRORS


@pytest.mark.parametrize("name", VALUES)
def test_function_gives_the_golden_value(name: str, actual: dict[str, Any]) -> None:
    assert actual[name] == CASES[name]["expected"]


@pytest.mark.parametrize("name", ERRORS)
def test_function_fails_with_the_golden_message(name: str) -> None:
    with pytest.raises(EvaluationError) as failure:
        evaluate(f'(import ./tests/nix/golden.nix).value "{name}"')

    assert re.search(CASES[name]["error"], str(failure.value)), str(failure.value)


def test_nix_alone_finds_no_difference_either() -> None:
    assert evaluate("(import ./tests/nix/golden.nix).differences") == []
