"""Tests that run side by side: what is expensive to make is made by one process."""

from types import SimpleNamespace
from typing import cast

import pytest
from tests.fixtures.side_by_side import group_of


@pytest.mark.parametrize(
    ("nodeid", "parameters", "group"),
    [
        ("tests/closure/test_x.py::test[a]", {"x": "a"}, "builds"),
        ("tests/nix/test_y.py::test", {}, "builds"),
        ("tests/unit/test_z.py::Test::test", {}, "tests/unit/test_z.py"),
        ("tests/unit/test_z.py::test[valkey]", {"redis_server": "valkey-server"}, "valkey-server"),
    ],
)
def test_what_is_expensive_to_make_is_made_by_one_process(nodeid: str, parameters: dict[str, str], group: str) -> None:
    callspec = {"callspec": SimpleNamespace(params=parameters)} if parameters else {}
    assert group_of(cast(pytest.Item, SimpleNamespace(nodeid=nodeid, **callspec))) == group


def test_every_test_is_marked_with_its_group(request: pytest.FixtureRequest) -> None:
    mark = request.node.get_closest_marker("xdist_group")
    assert mark is not None
    assert mark.args == ("tests/unit/devtools/test_side_by_side.py",)
