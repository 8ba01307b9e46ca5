"""The stacks the end-to-end tests share: one a mode, started once. Test code."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from tests.e2e.stack import RunningStack


def _engine_answers() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(
    scope="session",
    params=["embedded", pytest.param("compose", marks=pytest.mark.compose)],
    ids=["embedded", "compose"],
)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A ready stack with empty data, wiped afterwards."""
    mode = request.param
    if mode == "compose" and not _engine_answers():
        if os.environ.get("CI"):
            pytest.fail("CI must have a container engine; .ci/run starts one")
        pytest.skip("no container engine answers on this machine")
    running = RunningStack(mode, tmp_path_factory.mktemp(mode), 20000 if mode == "embedded" else 21000)
    try:
        started = running.up()
        assert started.returncode == 0, started.stderr
        (running.state / "up.out").write_text(started.stdout)
        yield running
    finally:
        ended = running.dev("down", "--wipe")
        assert ended.returncode == 0, ended.stderr
