"""No developer command of these tests reaches another program, the network or the real state of this checkout."""

import subprocess
from pathlib import Path

import pytest
from tests.fakes.programs import FakePrograms


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    """Every program the code calls through ``subprocess.run``."""
    fake = FakePrograms()
    monkeypatch.setattr(subprocess, "run", fake)
    return fake


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all of PATH; a test puts the names of programs there."""
    directory = tmp_path / "path"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


def install(directory: Path, *names: str) -> None:
    """Make programs of these names findable."""
    for name in names:
        (directory / name).touch(mode=0o755)
