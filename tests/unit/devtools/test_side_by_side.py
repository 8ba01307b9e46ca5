"""Tests that run side by side: what is expensive to make, or exists once, belongs to one process."""

import pytest
from tests.fixtures.side_by_side import group_of


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/closure/test_x.py::test[a]", "builds"),
        ("tests/nix/test_y.py::test", "builds"),
        ("tests/e2e/test_y.py::test[compose]", "builds"),
        ("tests/unit/test_z.py::Test::test", "tests/unit/test_z.py"),
        ("tests/unit/test_z.py::test[valkey-server]", "valkey-server"),
        ("tests/unit/test_z.py::test[redrive-redis-server]", "redis-server"),
        ("tests/unit/test_z.py::test[valkey-server-redrive]", "valkey-server"),
    ],
)
def test_what_exists_once_belongs_to_one_process(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group
