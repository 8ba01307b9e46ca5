"""The cases of conformance.json, which say what expressions mean, and a second implementation that agrees."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata

from workflow_runtime.core.canonical import canonical_json
from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions import ALLOWED_FUNCTIONS, compile_expression
from workflow_runtime.core.expressions._scan import scan

FILE = Path(__file__).parent / "conformance.json"
SUITE: dict[str, Any] = json.loads(FILE.read_text())
CASES: list[dict[str, Any]] = SUITE["cases"]
OURS = re.compile(rf"\$({'|'.join(ALLOWED_FUNCTIONS)})\b")
SHARED = [
    case for case in CASES if not case["group"].startswith("refused") and not OURS.search(scan(case["expression"]).text)
]


def outcome(expression: str, context: Mapping[str, Any], now: str) -> dict[str, Any]:
    try:
        return {"result": compile_expression(expression).evaluate(context, now_iso=now)}
    except ExpressionFailure as failure:
        return {"error": failure.code}


def name(case: dict[str, Any]) -> str:
    return f"{case['group']}: {case['expression']}"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_expression_means_what_the_suite_says(case: dict[str, Any]) -> None:
    expected = {key: case[key] for key in ("result", "error") if key in case}
    found = outcome(case["expression"], SUITE["input"], SUITE["now"])
    assert found == expected
    assert canonical_json(found) == canonical_json(expected)


def test_the_suite_is_large_and_says_every_expression_once() -> None:
    texts = [case["expression"] for case in CASES]
    assert len(texts) >= 300
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("case", SHARED, ids=name)
def test_a_second_implementation_agrees_on_the_shared_subset(case: dict[str, Any]) -> None:
    try:
        found: Any = Jsonata(scan(case["expression"]).text).evaluate(SUITE["input"])
    except (JException, ArithmeticError, ValueError):
        assert case.get("error") in ("EVALUATION_FAILED", "NOT_JSON")
        return
    # That implementation gives None for null and for a missing result alike.
    assert "result" in case or case["error"] == "MISSING_RESULT"
    assert canonical_json(found) == canonical_json(case.get("result"))


def test_most_of_the_suite_is_shared() -> None:
    assert len(SHARED) >= 250
