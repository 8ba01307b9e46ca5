"""What `./dev fetch` finds missing, fetches and keeps."""

from typing import Any

import pytest
from devtools import debian, fetch, nixcli, wheels
from devtools.errors import DevError

SOURCES = {
    "bases": {"python": {"path": "/nix/store/p"}, "redis": {"path": "/nix/store/r"}},
    "wheels": [{"name": name, "file": f"{name}-1-py3-none-any.whl", "path": f"/nix/store/{name}"} for name in "abcd"],
}


class Store:
    """What is in the store, and what was asked of the two halves."""

    def __init__(self) -> None:
        self.present: set[str] = set()
        self.fetched: list[Any] = []
        self.kept: list[str] = []


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store for SOURCES on a machine we build on."""
    store = Store()
    monkeypatch.setattr(nixcli, "system", lambda: "x86_64-linux")
    monkeypatch.setattr(nixcli, "evaluate", lambda attribute: {"lib.sources.x86_64-linux": SOURCES}[attribute])
    monkeypatch.setattr(nixcli, "valid_paths", lambda paths: set(paths) & store.present)
    monkeypatch.setattr(nixcli, "keep", lambda paths, link: store.kept.extend(paths))
    monkeypatch.setattr(debian, "fetch", lambda names, system: store.fetched.extend(names))
    monkeypatch.setattr(wheels, "fetch", lambda lacking: store.fetched.extend(wheel["name"] for wheel in lacking))
    return store


ALL = {"/nix/store/p", "/nix/store/r", *(f"/nix/store/{name}" for name in "abcd")}


def test_only_what_is_missing_is_fetched_and_everything_is_kept(store: Store) -> None:
    store.present = ALL - {"/nix/store/r", "/nix/store/c"}

    fetch.fetch()

    assert store.fetched == ["redis", "c"]
    assert set(store.kept) == ALL


def test_complete_store_needs_nothing(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.present = ALL

    fetch.fetch()

    assert store.fetched == []
    assert "all 6 sources are in the Nix store: nothing to fetch" in capsys.readouterr().err


def test_missing_sources_are_named_with_the_command(store: Store) -> None:
    store.present = {"/nix/store/p"}

    with pytest.raises(DevError) as failure:
        fetch.require_sources()

    assert str(failure.value) == (
        "redis, a-1-py3-none-any.whl, b-1-py3-none-any.whl and 2 more not in the Nix store: run ./dev fetch"
    )


def test_complete_store_is_enough(store: Store) -> None:
    store.present = ALL

    fetch.require_sources()


def test_machine_nothing_is_built_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nixcli, "system", lambda: "armv7l-linux")

    with pytest.raises(
        DevError, match="this machine is armv7l-linux; images are built on x86_64-linux or aarch64-linux"
    ):
        fetch.system()
