"""`./dev build`: a table of what was built."""

from pathlib import Path

import pytest
from devtools import builds, fetch, nixcli
from devtools.archives import Archive
from devtools.errors import DevError


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were built, of two images."""
    names: list[str] = []

    def build(wanted: list[str]) -> dict[str, Archive]:
        names.extend(wanted)
        return {name: Archive(Path(f"/nix/store/{name}"), name, "ab", 12_345_678) for name in wanted}

    monkeypatch.setattr(fetch, "require_sources", lambda: None)
    monkeypatch.setattr(nixcli, "evaluate", lambda attribute: ["redis", "temporal"])
    monkeypatch.setattr(builds, "build_images", build)
    return names


def test_all_images_are_built_unless_some_are_named(built: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    builds.build([])

    assert built == ["redis", "temporal"]
    header, first, _second = capsys.readouterr().out.splitlines()
    assert header.split() == ["IMAGE", "TAG", "SIZE", "ARCHIVE"]
    assert first.split() == ["redis", "ab", "12.3", "MB", "/nix/store/redis"]


def test_named_image_is_built_alone(built: list[str]) -> None:
    builds.build(["temporal"])

    assert built == ["temporal"]


def test_unknown_image_is_named_with_those_there_are(built: list[str]) -> None:
    with pytest.raises(DevError, match="no image is named rediss, mongo; there are redis, temporal"):
        builds.build(["rediss", "redis", "mongo"])
    assert built == []
