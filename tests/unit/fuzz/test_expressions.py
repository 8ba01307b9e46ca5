"""Whatever text stands for an expression: it is a JSON value or a failure with a code, each time the same."""

import json
import random
from pathlib import Path
from typing import Any, Final

import pytest
from tests.unit.fuzz.rounds import rounds

from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions import compile_expression

CONTEXT: Final[dict[str, Any]] = {
    "a": 1,
    "none": None,
    "text": "x" * 3_000,
    "numbers": list(range(400)),
    "items": [{"k": i, "t": f"t{i}", "z": [i] * 3} for i in range(100)],
    "payload": {"deep": [[[{"n": -0.5}]]], "é": "\u202e", "$expr": "a"},
}
_CASES: Final[tuple[str, ...]] = tuple(
    case["expression"]
    for case in json.loads((Path(__file__).parents[1] / "core/expressions/conformance.json").read_text())["cases"]
)
_TOKENS: Final[tuple[str, ...]] = (
    *("a", "items", "text", "numbers", "none", "missing", "payload", "len", "append", "coalesce", "toString", "nowIso"),
    *(
        "$",
        "$$",
        "$x",
        "`q`",
        "and",
        "or",
        "in",
        "function",
        "λ",
        "$eval",
        "$lookup",
        "$now",
        "$random",
        "$sum",
        "$_now",
    ),
    *"%*.[](){},;:?=<+-/&^@#|'\"`\\\n \x00é\ud800",
    *(
        "**",
        ":=",
        "?:",
        "??",
        "==",
        "!=",
        "..",
        "~>",
        "/*",
        "*/",
        "{{",
        '"s"',
        "1",
        "2.5",
        "1e999",
        "-0",
        "true",
        "null",
    ),
)
_SHAPES: Final = (
    "{}.{}",
    "{}[{}]",
    "({} = {})",
    "({} & {})",
    "({} + {})",
    "({} / {})",
    "({} in {})",
    "({} ?: {})",
    "[{}, {}]",
    "[{}..{}]",
    "{}^(>{})",
    "($x := {}; {})",
    "({} ? {} : 1)",
    "append({}, {})",
    "coalesce({}, {})",
    "{}@$i.({})",
    "{}#$i.({})",
)


def soup(rng: random.Random) -> str:
    """Tokens in any order."""
    return "".join(rng.choice(_TOKENS) for _ in range(rng.randrange(1, 25)))


def grown(rng: random.Random, depth: int = 0) -> str:
    """Mostly well-formed texts."""
    if depth > 3 or rng.random() < 0.3:
        return rng.choice(
            (*_TOKENS[:12], '"s"', "1", "0", "null", "items.z", "items[0].t", "numbers[-1]", "payload.**")
        )
    return rng.choice(_SHAPES).format(grown(rng, depth + 1), grown(rng, depth + 1))


def damaged(rng: random.Random) -> str:
    """A text of the conformance suite with a few characters exchanged, doubled or lost."""
    text = rng.choice(_CASES)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(("", *_TOKENS)) * rng.choice((1, 1, 2, 40)) + text[at + rng.randrange(3) :]
    return text


def outcome(text: str) -> Any:
    try:
        return compile_expression(text).evaluate(CONTEXT, now_iso="2026-01-01T00:00:00.000Z")
    except ExpressionFailure as failure:
        record = failure.to_failure().model_dump(mode="json")
        return {"failure": record["code"] or pytest.fail(f"{text!r} fails without a code: {record}")}


@rounds(30_000)
def test_a_text_is_a_value_or_a_failure_with_a_code_each_time_the_same(rng: random.Random) -> None:
    text = rng.choice((soup, grown, damaged))(rng)
    first = json.dumps(outcome(text), allow_nan=False)
    assert json.dumps(outcome(text), allow_nan=False) == first
