"""The developer commands start on a bare Debian 12: its Python 3.11 and nothing else."""

import ast
import sys
from pathlib import Path

import pytest
from devtools.paths import ROOT

IN_THE_LOCKED_ENVIRONMENT = {"follow.py"}
HOST = [path for path in sorted((ROOT / "devtools").rglob("*.py")) if path.name not in IN_THE_LOCKED_ENVIRONMENT]


def _imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", HOST, ids=lambda path: path.stem)
def test_host_module_needs_only_the_standard_library_of_python_3_11(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 11))

    assert _imported(tree) - sys.stdlib_module_names <= {"devtools"}


@pytest.mark.parametrize("path", HOST, ids=lambda path: path.stem)
def test_module_says_where_it_runs(path: Path) -> None:
    summary = ast.get_docstring(ast.parse(path.read_text())) or ""

    assert "Host process" in summary
