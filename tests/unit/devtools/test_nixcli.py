"""Calls of Nix: always under this project's settings, whatever the machine says."""

import json
from pathlib import Path

import pytest
from devtools import nixcli
from devtools.errors import DevError
from devtools.paths import ROOT
from tests.fakes.programs import FakePrograms


def test_our_settings_win_over_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIX_CONFIG", "sandbox = false\ncores = 3")

    lines = nixcli.environment()["NIX_CONFIG"].splitlines()

    assert lines[:2] == ["sandbox = false", "cores = 3"]
    assert lines.index("sandbox = true") > 1
    assert "sandbox-fallback = false" in lines
    assert "substituters =" in lines


def test_value_of_an_attribute_is_parsed(programs: FakePrograms) -> None:
    programs.answer("nix", "eval", "--json", f"{ROOT}#lib.stack", stdout='{"a": [1]}')

    assert nixcli.evaluate("lib.stack") == {"a": [1]}
    assert "sandbox = true" in programs.calls[0].env["NIX_CONFIG"]


def test_evaluation_error_names_the_attribute(programs: FakePrograms) -> None:
    programs.answer("nix", code=1, stderr="error: the queue q is owned by a and b")

    with pytest.raises(DevError, match=r"evaluating lib\.stack failed \(exit 1\):\nerror: the queue q"):
        nixcli.evaluate("lib.stack")


def test_invalid_paths_are_told_from_valid_ones(programs: FakePrograms) -> None:
    programs.answer("nix-store", "--check-validity", stdout="/nix/store/b\n")

    assert nixcli.valid_paths(["/nix/store/a", "/nix/store/b"]) == {"/nix/store/a"}


def test_no_paths_need_no_call(programs: FakePrograms) -> None:
    assert nixcli.valid_paths([]) == set()
    assert programs.calls == []


@pytest.mark.parametrize(("recursive", "flags"), [(True, ["--recursive"]), (False, [])])
def test_sources_are_added_by_sha256(recursive: bool, flags: list[str], programs: FakePrograms) -> None:
    programs.answer("nix-store", "--add-fixed", stdout="/nix/store/x-redis\n")

    assert nixcli.add_fixed(Path("/tmp/redis"), recursive=recursive) == "/nix/store/x-redis"
    assert programs.calls[0].argv == ["nix-store", "--add-fixed", *flags, "sha256", "/tmp/redis"]


def test_built_packages_are_found_by_name(programs: FakePrograms) -> None:
    programs.answer("nix", "build")
    programs.answer("nix", "eval", stdout=json.dumps({"compose": "/nix/store/c", "redis-image": "/nix/store/r"}))

    built = nixcli.build(["redis-image", "compose"])

    assert built == {"redis-image": Path("/nix/store/r"), "compose": Path("/nix/store/c")}
    assert programs.called("build")[0].argv[-2:] == [f"{ROOT}#redis-image", f"{ROOT}#compose"]


def test_failed_build_points_at_its_own_report(programs: FakePrograms) -> None:
    programs.answer("nix", "build", code=1)

    with pytest.raises(DevError, match="redis-image could not be built; the reason stands above"):
        nixcli.build(["redis-image"])


def test_kept_paths_become_roots(programs: FakePrograms, tmp_path: Path) -> None:
    programs.answer("nix-store", "--realise")

    nixcli.keep(["/nix/store/a"], tmp_path / "roots" / "sources")

    assert (tmp_path / "roots").is_dir()
    assert programs.calls[0].argv[-3:] == ["--add-root", str(tmp_path / "roots/sources"), "--indirect"]
