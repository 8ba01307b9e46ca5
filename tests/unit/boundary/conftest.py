"""The small project that boundary tests check."""

from pathlib import Path

import pytest
from tests.unit.boundary.tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A project with nothing to complain about."""
    return Tree(tmp_path)
