"""`./dev lock`: what changed, and which index it asks."""

from pathlib import Path

import pytest
from devtools import debian, lock
from devtools.errors import DevError
from tests.fakes.programs import Call, FakePrograms

BEFORE = '[[package]]\nname = "redis"\nversion = "8.0.0"\nfiles = []\n\n[[package]]\nname = "idna"\nversion = "3.0"\n'


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: FakePrograms) -> Path:
    """A checkout with a lock file and Poetry, whose Debian lock does not change."""
    (tmp_path / "poetry.lock").write_text(BEFORE)
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "_install_poetry", lambda: Path("/poetry/python3"))
    monkeypatch.setattr(debian, "lock_all", lambda: "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://mirror/simple")
    monkeypatch.delenv("POETRY_PYPI_MIRROR_URL", raising=False)
    return tmp_path


def _poetry_writes(programs: FakePrograms, path: Path, text: str) -> None:
    def write(call: Call) -> None:
        path.write_text(text)

    programs.answer("-m", "poetry", "lock", effect=write)


def test_changed_versions_are_shown_and_hashes_are_not(
    checkout: Path, programs: FakePrograms, capsys: pytest.CaptureFixture[str]
) -> None:
    _poetry_writes(programs, checkout / "poetry.lock", BEFORE.replace("8.0.0", "8.1.0").replace("[]", '["x"]'))

    lock.lock()

    said = capsys.readouterr().out
    assert "poetry.lock: changed" in said
    assert "-redis 8.0.0\n+redis 8.1.0\n" in said
    assert "idna" not in said
    assert "nix/toolchains/debian/lock.json: unchanged" in said


def test_unchanged_locks_are_said_to_be(
    checkout: Path, programs: FakePrograms, capsys: pytest.CaptureFixture[str]
) -> None:
    _poetry_writes(programs, checkout / "poetry.lock", BEFORE)

    lock.lock()

    assert capsys.readouterr().out == "poetry.lock: unchanged\nnix/toolchains/debian/lock.json: unchanged\n"


def test_poetry_asks_the_index_pip_is_configured_with(checkout: Path, programs: FakePrograms) -> None:
    _poetry_writes(programs, checkout / "poetry.lock", BEFORE)

    lock.lock()

    assert programs.calls[0].env["POETRY_PYPI_MIRROR_URL"] == "http://mirror/simple"


def test_failed_resolution_points_at_poetrys_own_message(checkout: Path, programs: FakePrograms) -> None:
    programs.answer("-m", "poetry", "lock", code=1)

    with pytest.raises(DevError, match=r"Poetry could not resolve pyproject\.toml; its message stands above"):
        lock.lock()
