"""Tests in several processes side by side: each runs once, and all is told as one run."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.fixtures.interpreter import python
from tests.fixtures.side_by_side import group_of

ROOT = Path(__file__).parents[3]
DONE = "from pathlib import Path\nimport os\n\n\ndef done(name):\n    Path('done', f'{name}-{os.getpid()}').touch()\n"
MEETING = """
from done import done
from pathlib import Path
import time


def test_meets():
    done("{me}")
    deadline = time.monotonic() + 60
    while not list(Path("done").glob("{other}-*")):
        assert time.monotonic() < deadline, "ran alone"
        time.sleep(0.01)


def test_last():
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Two files whose tests wait for each other, in a project of their own."""
    (tmp_path / "done").mkdir()
    (tmp_path / "done.py").write_text(DONE)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    for me, other in (("one", "two"), ("two", "one")):
        (tmp_path / f"test_{me}.py").write_text(MEETING.format(me=me, other=other))
    return tmp_path


def run(suite: Path, *options: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    plugin = ["-p", "tests.fixtures.side_by_side", "-p", "no:cacheprovider", f"--processes={processes}"]
    return subprocess.run(
        [*python(), "-m", "pytest", *plugin, *options],
        cwd=suite,
        env={**outer, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_files_run_at_the_same_time_and_each_once(suite: Path) -> None:
    ended = run(suite)
    assert (ended.returncode, "4 passed" in ended.stdout) == (0, True), ended.stdout + ended.stderr
    places = [path.name.split("-") for path in (suite / "done").iterdir()]
    assert sorted(name for name, _ in places) == ["one", "two"]
    assert len({process for _, process in places}) == 2


def test_what_fails_in_another_process_fails_the_run_with_its_reason(suite: Path) -> None:
    for name in ("one", "two"):
        with (suite / f"test_{name}.py").open("a") as file:
            file.write(f"\n\ndef test_fails():\n    assert '{name}' == 'right'\n")
            file.write("\n\nimport pytest\n\n\n@pytest.mark.skip(reason='not here')\ndef test_skipped():\n    pass\n")
    ended = run(suite, "-ra", "--junitxml=all.xml")
    assert ended.returncode == 1
    assert "2 failed, 4 passed, 2 skipped" in ended.stdout
    assert all(f"AssertionError: assert '{name}' == 'right'" in ended.stdout for name in ("one", "two"))
    assert 'tests="8"' in (suite / "all.xml").read_text()


def test_another_process_that_dies_is_no_success(suite: Path) -> None:
    """Its exit code says nothing: whatever it claimed must have come to an end."""
    kills = "\n\ndef test_dies():\n    import os\n    print('last words', flush=True)\n    os._exit(0)\n"
    (suite / "test_two.py").write_text((suite / "test_two.py").read_text() + kills)
    # So that the first process does not claim the file that kills.
    (suite / "test_one.py").rename(suite / "test_a.py")
    ended = run(suite, "-s")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "last words" in ended.stdout
    assert "a process of the tests ended with 0 in the middle of test_two.py::test_dies" in ended.stdout


def test_a_test_that_no_process_has_run_is_no_success(suite: Path) -> None:
    (suite / "conftest.py").write_text(
        "def pytest_collection_modifyitems(config, items):\n"
        "    if config.option.report_to:\n"
        "        items[:] = [item for item in items if item.name != 'test_last']\n"
    )
    ended = run(suite)
    assert ended.returncode == 1, ended.stdout
    assert "1 tests were run by none of the processes" in ended.stdout


def test_the_first_failure_ends_all_when_asked_to(suite: Path) -> None:
    (suite / "test_one.py").write_text("def test_fails():\n    assert False\n\n\ndef test_never():\n    assert False\n")
    (suite / "test_two.py").write_text("def test_fails():\n    assert False\n\n\ndef test_never():\n    assert False\n")
    ended = run(suite, "-x")
    assert ended.returncode == 1
    assert "test_never" not in ended.stdout


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


def test_one_process_is_pytest_itself(suite: Path) -> None:
    (suite / "test_two.py").unlink()
    (suite / "done" / "two-").touch()
    assert run(suite, processes=1).returncode == 0
