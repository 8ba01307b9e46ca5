"""The private apt: the machine's mirrors, another suite, nothing of the machine's own lists."""

from pathlib import Path

import pytest
from devtools import aptroot
from devtools.aptroot import AptRoot, Candidate, machine_mirrors
from devtools.errors import DevError
from tests.fakes.programs import FakePrograms
from tests.unit.devtools.conftest import install

SHOWN = """Package: libc6
Version: 2.41-12
Architecture: amd64
Description: GNU C Library
 SHA256: not a field of the stanza
SHA256: aa

Package: tzdata
Version: 2025b-4
Architecture: all
SHA256: bb

Package: only-virtual
"""


@pytest.fixture
def apt(tmp_path: Path, programs: FakePrograms, on_path: Path, monkeypatch: pytest.MonkeyPatch) -> AptRoot:
    """A private apt on a machine with a mirror and a security mirror."""
    install(on_path, "apt-get", "apt-cache")
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    monkeypatch.setattr(aptroot, "KEYRING", keyring)
    programs.answer("apt-get", "indextargets", "Label: Debian", stdout="http://mirror/debian/\nhttp://mirror/debian\n")
    programs.answer("apt-get", "indextargets", "Label: Debian-Security", stdout="http://mirror/debian-security\n")
    programs.answer("apt-get", "update")
    programs.answer("apt-cache", "show", stdout=SHOWN)
    return AptRoot(tmp_path / "apt", "trixie", "amd64")


def test_sources_are_the_machines_mirrors_with_our_suite(apt: AptRoot, tmp_path: Path) -> None:
    apt.refresh()

    signed = f"[signed-by={tmp_path / 'keyring.gpg'}]"
    assert (tmp_path / "apt/etc/apt/sources.list").read_text() == (
        f"deb {signed} http://mirror/debian trixie main\n"
        f"deb {signed} http://mirror/debian trixie-updates main\n"
        f"deb {signed} http://mirror/debian-security trixie-security main\n"
    )


def test_apt_works_in_its_own_directory(apt: AptRoot, tmp_path: Path, programs: FakePrograms) -> None:
    apt.refresh()

    [update] = programs.called("update")
    assert f"Dir={tmp_path / 'apt'}" in update.argv
    assert f"Dir::State::status={tmp_path / 'apt/var/lib/dpkg/status'}" in update.argv
    assert "APT::Architecture=amd64" in update.argv
    assert (tmp_path / "apt/var/lib/dpkg/status").exists()


def test_missing_keyring_names_its_package(apt: AptRoot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(aptroot, "KEYRING", tmp_path / "gone.gpg")

    with pytest.raises(DevError, match=r"gone\.gpg is missing: install the package debian-archive-keyring"):
        apt.refresh()


def test_candidates_come_in_the_order_asked_for(apt: AptRoot) -> None:
    assert apt.candidates(["tzdata", "libc6"]) == [
        Candidate("tzdata", "2025b-4", "all", "bb"),
        Candidate("libc6", "2.41-12", "amd64", "aa"),
    ]


def test_unknown_package_points_at_the_list_to_correct(apt: AptRoot) -> None:
    with pytest.raises(
        DevError, match=r"Debian trixie has no package 'libc7': correct nix/toolchains/debian/bases\.nix"
    ):
        apt.candidates(["libc6", "libc7"])


def test_every_offered_version_counts(apt: AptRoot, programs: FakePrograms) -> None:
    older = "Package: libc6\nVersion: 2.41-11\nArchitecture: amd64\nSHA256: cc\n\n"
    programs.answer("apt-cache", "show", stdout=older + SHOWN)

    assert {package.version for package in apt.offered(["libc6"]) if package.name == "libc6"} == {"2.41-11", "2.41-12"}


def test_exact_versions_are_downloaded(apt: AptRoot, programs: FakePrograms, tmp_path: Path) -> None:
    programs.answer("apt-get", "download")

    apt.download([("libc6", "2.41-12"), ("tzdata", "2025b-4")], tmp_path / "debs")

    [call] = programs.called("download")
    assert call.argv[-2:] == ["libc6=2.41-12", "tzdata=2025b-4"]
    assert call.cwd == tmp_path / "debs"


def test_machine_without_a_mirror_is_told_what_to_do(programs: FakePrograms, on_path: Path) -> None:
    install(on_path, "apt-get")
    programs.answer("apt-get", "indextargets")

    with pytest.raises(DevError, match="apt knows no Debian mirror: run `apt-get update`"):
        machine_mirrors()


def test_machine_without_apt_is_told_what_is_needed(on_path: Path) -> None:
    with pytest.raises(DevError, match="need a Debian or Ubuntu machine"):
        machine_mirrors()
