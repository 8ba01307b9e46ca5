"""The table of decisions names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TABLE = (TESTS / "DECISIONS.md").read_text()
NAMED = re.findall(r"`([\w/]+\.py)::(test_\w+)`", TABLE)


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)), ids=lambda part: part)
def test_a_named_test_exists(path: str, name: str) -> None:
    module = ast.parse((TESTS / path).read_text())
    assert name in {node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_decision_names_a_test() -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith("| it did")]
    assert len(rows) >= 12
    assert [row for row in rows if "::test_" not in row] == []
