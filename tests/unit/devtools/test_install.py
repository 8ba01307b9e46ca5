"""Installing Nix, and Node for the tests, where they are missing, and never anything else."""

import os
from pathlib import Path

import pytest
from devtools import install
from devtools.errors import DevError
from tests.fakes.programs import FakePrograms
from tests.unit.devtools import conftest


@pytest.fixture
def nix_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's nix.conf."""
    path = tmp_path / "etc/nix/nix.conf"
    monkeypatch.setattr(install, "_SYSTEM_CONFIG", path)
    return path


def test_installed_nix_is_left_as_it_is(on_path: Path, programs: FakePrograms, nix_conf: Path) -> None:
    conftest.install(on_path, "nix")

    install.ensure_nix()

    assert programs.calls == []
    assert not nix_conf.exists()


def test_missing_nix_comes_from_apt_with_the_sandbox_on(
    on_path: Path, programs: FakePrograms, nix_conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conftest.install(on_path, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    nix_conf.parent.mkdir(parents=True)
    nix_conf.write_text("sandbox = false\n")
    programs.answer("apt-get")

    install.ensure_nix()

    assert [call.argv[-1] for call in programs.calls] == ["update", "nix-bin"]
    lines = nix_conf.read_text().splitlines()
    assert lines.index("sandbox = true") > lines.index("sandbox = false")


def test_only_root_may_install(on_path: Path, programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    conftest.install(on_path, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(DevError, match="run `apt-get install nix-bin` as root"):
        install.ensure_nix()
    assert programs.calls == []


def test_machine_without_apt_is_told_what_to_install(on_path: Path) -> None:
    with pytest.raises(DevError, match=r"there is no apt-get to install it with: install Nix 2\.8 or later"):
        install.ensure_nix()


def test_installed_node_is_left_as_it_is(on_path: Path, programs: FakePrograms) -> None:
    conftest.install(on_path, "node", "npm", "apt-get")

    install.ensure_node()

    assert programs.calls == []


@pytest.mark.parametrize("present", [[], ["node"], ["npm"]])
def test_missing_node_or_npm_comes_from_apt(
    present: list[str], on_path: Path, programs: FakePrograms, monkeypatch: pytest.MonkeyPatch
) -> None:
    conftest.install(on_path, "apt-get", *present)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    programs.answer("apt-get")

    install.ensure_node()

    assert [call.argv[-2:] for call in programs.calls] == [["-q", "update"], ["nodejs", "npm"]]


@pytest.mark.parametrize("root", [True, False])
def test_what_keeps_node_away_is_said_and_stops_no_other_test(
    root: bool,
    on_path: Path,
    programs: FakePrograms,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    conftest.install(on_path, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    programs.answer("apt-get", code=100, stderr="no mirror")

    install.ensure_node()

    said = capsys.readouterr().err
    assert "the tests of the JavaScript worker will fail" in said
    assert ("no mirror" in said) is root
