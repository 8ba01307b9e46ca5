"""The Debian lock: what is pinned is what is added, and a superseded pin is renewed loudly."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from devtools import debian, nixcli
from devtools.aptroot import AptRoot, Candidate
from devtools.errors import DevError

SYSTEM = "x86_64-linux"


def _candidate(name: str, version: str = "1.0") -> Candidate:
    digest = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    return Candidate(name, version, "amd64", digest)


class FakeApt(AptRoot):
    """An archive that offers some candidates; a download is a file of name and version."""

    def __init__(self, *offered: Candidate, spoiled: bool = False) -> None:
        self._offered = {candidate.name: candidate for candidate in offered}
        self._spoiled = spoiled

    def refresh(self) -> None:
        """Nothing to read."""

    def candidates(self, names: list[str]) -> list[Candidate]:
        """What is offered under these names."""
        return [self._offered[name] for name in names]

    def offered(self, names: list[str]) -> set[Candidate]:
        """One version of each name."""
        return {self._offered[name] for name in names}

    def download(self, names_and_versions: Sequence[tuple[str, str]], target: Path) -> None:
        """Write the files."""
        target.mkdir(parents=True)
        for name, version in names_and_versions:
            (target / f"{name}.deb").write_text("spoiled" if self._spoiled else f"{name} {version}")


@pytest.fixture
def lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """lock.json of one base with one package, whose tree has the hash `sha256-tree`."""
    path = tmp_path / "lock.json"
    entry = {"packages": [vars(_candidate("redis-server"))], "treeHash": "sha256-tree"}
    path.write_text(
        json.dumps({"version": 1, "suite": "trixie", "systems": {SYSTEM: {"redis": entry}}}, indent=2, sort_keys=True)
        + "\n"
    )
    monkeypatch.setattr(debian, "DEBIAN_LOCK", path)
    monkeypatch.setattr(debian, "unpack", lambda files, tree: None)
    return path


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`archive(apt, tree_hash)`: what the archive offers and what trees unpack to."""

    def use(apt: FakeApt, tree_hash: str = "sha256-tree") -> None:
        monkeypatch.setattr(debian, "_apt_root", lambda suite, architecture: apt)
        monkeypatch.setattr(nixcli, "tree_hash", lambda tree: tree_hash)
        monkeypatch.setattr(nixcli, "add_fixed", lambda path, recursive: f"/nix/store/x-{path.name}")

    return use


def test_pinned_base_is_added_under_its_name(lock_file: Path, archive: Any) -> None:
    before = lock_file.read_text()
    archive(FakeApt(_candidate("redis-server")))

    assert debian.fetch(["redis"], SYSTEM) == {"redis": "/nix/store/x-debian-redis"}
    assert lock_file.read_text() == before


def test_nothing_missing_asks_no_archive(lock_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "_apt_root", lambda *_: pytest.fail("asked"))

    assert debian.fetch([], SYSTEM) == {}


def test_superseded_package_is_locked_anew_and_announced(
    lock_file: Path, archive: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(FakeApt(_candidate("redis-server", "1.1")), "sha256-newer")

    debian.fetch(["redis"], SYSTEM)

    entry = json.loads(lock_file.read_text())["systems"][SYSTEM]["redis"]
    assert entry == {"packages": [vars(_candidate("redis-server", "1.1"))], "treeHash": "sha256-newer"}
    said = capsys.readouterr().err
    assert "superseded in the redis base: redis-server 1.0 -> 1.1" in said
    assert "lock.json was re-locked. Commit this:" in said
    assert '+            "version": "1.1"' in said


def test_tree_of_another_hash_is_refused(lock_file: Path, archive: Any) -> None:
    archive(FakeApt(_candidate("redis-server")), "sha256-other")

    with pytest.raises(
        DevError, match=r"redis base unpacks to sha256-other, lock\.json says sha256-tree: .* \./dev lock"
    ):
        debian.fetch(["redis"], SYSTEM)


def test_download_of_another_hash_adds_nothing(lock_file: Path, archive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    archive(FakeApt(_candidate("redis-server"), spoiled=True))
    monkeypatch.setattr(nixcli, "add_fixed", lambda *_, **__: pytest.fail("added"))

    with pytest.raises(DevError, match=r"redis-server 1\.0 has another SHA-256 than lock\.json: nothing was added"):
        debian.fetch(["redis"], SYSTEM)


def test_every_architecture_is_locked(lock_file: Path, archive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    archive(FakeApt(_candidate("redis-server", "2.0"), _candidate("tzdata")))
    declared = {"suite": "trixie", "bases": {"redis": ["redis-server"], "static": ["tzdata"]}}
    monkeypatch.setattr(nixcli, "evaluate_file", lambda path, attribute: declared)

    diff = debian.lock_all()

    systems = json.loads(lock_file.read_text())["systems"]
    assert set(systems) == {"x86_64-linux", "aarch64-linux"}
    assert set(systems[SYSTEM]) == {"redis", "static"}
    assert '"version": "2.0"' in diff


def test_unchanged_lock_has_no_diff(lock_file: Path) -> None:
    assert debian.write_lock(json.loads(lock_file.read_text())) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, r"lock\.json is missing: run \./dev lock"), ('{"version": 2}', "has version 2, this checkout reads 1")],
)
def test_unreadable_lock_names_the_command(text: str | None, message: str, lock_file: Path) -> None:
    lock_file.unlink()
    if text:
        lock_file.write_text(text)

    with pytest.raises(DevError, match=message):
        debian.read_lock()
