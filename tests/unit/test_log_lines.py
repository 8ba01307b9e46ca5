"""Every line our processes log stands in docs/OWNERSHIP.md with what it means, and no other does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from devtools.paths import ROOT

_LEVELS = {"debug", "info", "warning", "error", "exception"}
_EVENT = re.compile(r"[a-z]+(_[a-z]+)+")


def _logged(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(attr=level), args=[first, *_]) if level in _LEVELS:
                values = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                for value in values:
                    if isinstance(value, ast.Constant) and _EVENT.fullmatch(str(value.value)):
                        yield str(value.value)


def _said(path: Path) -> Iterator[str]:
    return (str(node.value) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))


def test_every_log_line_is_explained_and_every_explained_one_is_logged() -> None:
    logged = {event for path in (ROOT / "src").rglob("*.py") for event in _logged(path)}
    section = (ROOT / "docs" / "OWNERSHIP.md").read_text().partition("## What the log lines mean")[2]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    explained = {event for row in rows for event in re.findall(r"`([a-z_]+)`", row)} - {"event"}
    assert "event_target_failed" in logged
    assert logged - explained == set()
    assert explained - {text for path in (ROOT / "src").rglob("*.py") for text in _said(path)} == set()
