"""The stack as processes: a supervisor of its own, found again by pid and start time, stopped and nothing else."""

import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from devtools.errors import DevError
from devtools.stack import embedded
from devtools.stack.record import Stack
from tests.fixtures.interpreter import python

CONFIGURATION = """[program:redis]
command=/loader /redis --dir '%(ENV_WORKFLOW_STATE)s/data/redis-data' --port 1
[program:temporal]
command=/temporal --db-filename '%(ENV_WORKFLOW_STATE)s/data/temporal-data/temporal.db'
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state directory of a checkout."""
    directory = tmp_path / "state"
    monkeypatch.setattr(embedded, "STATE", directory)
    monkeypatch.setattr(embedded, "_LOG", directory / "logs" / "supervisord.log")
    return directory


@pytest.fixture
def sleeper() -> Iterator[Popen[bytes]]:
    """A process that has nothing to do with us."""
    process = Popen([*python(), "-c", "import signal; signal.pause()"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    """A generated supervisord configuration."""
    path = tmp_path / "supervisord.conf"
    path.write_text(CONFIGURATION)
    return str(path)


def _stack(pid: int | None, started: str | None) -> Stack:
    return Stack("embedded", "conf", {}, pid=pid, started=started)


def test_process_is_known_by_pid_and_start_time(sleeper: Popen[bytes]) -> None:
    started = embedded._started(sleeper.pid)

    assert started is not None
    assert embedded.running(_stack(sleeper.pid, started))
    assert not embedded.running(_stack(sleeper.pid, "1"))
    assert not embedded.running(_stack(None, None))


def test_ended_process_is_not_running(sleeper: Popen[bytes]) -> None:
    stack = _stack(sleeper.pid, embedded._started(sleeper.pid))
    sleeper.kill()
    sleeper.wait()

    assert not embedded.running(stack)


def test_zombie_is_not_running(sleeper: Popen[bytes]) -> None:
    stack = _stack(sleeper.pid, embedded._started(sleeper.pid))
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert not embedded.running(stack)


def test_other_process_of_a_reused_pid_is_left_alone(sleeper: Popen[bytes]) -> None:
    embedded.stop(_stack(sleeper.pid, "1"))

    assert sleeper.poll() is None


def test_stop_waits_until_the_process_has_ended(sleeper: Popen[bytes]) -> None:
    embedded.stop(_stack(sleeper.pid, embedded._started(sleeper.pid)))

    assert embedded._started(sleeper.pid) is None


@pytest.mark.parametrize("name", ["with blank", "100%"])
def test_path_supervisord_cannot_read_back_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STATE", tmp_path / name)

    with pytest.raises(DevError, match="its path has a blank or a percent sign; move the checkout"):
        embedded.start(Path("/env"), "conf", {}, {})


def test_volumes_named_in_the_configuration_are_closed_to_others(state: Path, configuration: str) -> None:
    (state / "data").mkdir(parents=True)

    embedded._make_volumes(configuration)

    assert {path.name: path.stat().st_mode & 0o777 for path in (state / "data").iterdir()} == {
        "redis-data": 0o700,
        "temporal-data": 0o700,
    }


def test_service_that_keeps_ending_is_a_problem_with_its_last_line(state: Path, sleeper: Popen[bytes]) -> None:
    (state / "logs").mkdir(parents=True)
    (state / "logs/supervisord.log").write_text("INFO exited: worker (exit status 1; not expected)\n" * 3)
    (state / "logs/worker.log").write_text("starting\ncannot reach Temporal\n")

    problem = embedded.problem(_stack(sleeper.pid, embedded._started(sleeper.pid)))

    assert problem == f"worker has ended 3 times; the last line of {state}/logs/worker.log: cannot reach Temporal"


def test_service_that_ended_once_is_no_problem(state: Path, sleeper: Popen[bytes]) -> None:
    (state / "logs").mkdir(parents=True)
    (state / "logs/supervisord.log").write_text("INFO exited: worker (exit status 1; not expected)\n")

    assert embedded.problem(_stack(sleeper.pid, embedded._started(sleeper.pid))) is None


def test_ended_supervisor_is_a_problem(state: Path) -> None:
    problem = embedded.problem(_stack(None, None))

    assert problem is not None
    assert "supervisord has ended; its last words are in" in problem


def test_wiping_removes_data_and_keeps_logs(state: Path) -> None:
    for name in ("data/redis-data", "logs"):
        (state / name).mkdir(parents=True)

    embedded.wipe()
    embedded.wipe()

    assert [path.name for path in state.iterdir()] == ["logs"]
