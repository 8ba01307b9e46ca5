"""Commands that run inside the locked environment: test, run and check."""

import json
from pathlib import Path

import pytest
from devtools import check, example, fetch, install, nixcli, rebuild, testing
from devtools.errors import DevError
from devtools.paths import ROOT
from devtools.stack import record
from devtools.stack.record import Stack
from tests.fakes.programs import Call, FakePrograms


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """All sources are there, and everything that is built lies in one directory."""
    monkeypatch.setattr(install, "ensure_node", lambda: None)
    monkeypatch.setattr(fetch, "fetch", lambda: None)
    monkeypatch.setattr(fetch, "require_sources", lambda: None)
    monkeypatch.setattr(nixcli, "build", lambda names: {name: tmp_path / name for name in names})
    return tmp_path


class TestTest:
    @pytest.mark.parametrize("arguments", [["--", "tests/unit", "-q"], ["tests/unit", "-q"]])
    def test_arguments_reach_pytest_of_the_locked_environment(
        self, arguments: list[str], programs: FakePrograms, built: Path
    ) -> None:
        programs.answer("pytest", code=5)

        assert testing.test(arguments) == 5
        [call] = programs.calls
        assert call.argv == [str(built / "environment/bin/python3"), "-m", "pytest", "tests/unit", "-q"]
        assert call.cwd == ROOT

    @pytest.mark.parametrize(("processors", "processes"), [(1, 1), (2, 2), (64, 2), (None, 1)])
    @pytest.mark.parametrize("arguments", [[], ["--"]])
    def test_all_tests_together_run_in_two_processes_where_two_find_room(
        self,
        arguments: list[str],
        processors: int | None,
        processes: int,
        programs: FakePrograms,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("os.cpu_count", lambda: processors)
        programs.answer("pytest")

        testing.test(arguments)

        [call] = programs.calls
        assert call.argv[2:] == ["pytest", f"--numprocesses={processes}"]

    def test_tools_of_the_locked_environment_come_first(self, programs: FakePrograms, built: Path) -> None:
        programs.answer("pytest")

        testing.test([])

        [call] = programs.calls
        assert call.env["PATH"].split(":")[0] == str(built / "environment/bin")
        assert "sandbox = true" in call.env["NIX_CONFIG"]


class TestRun:
    @pytest.fixture
    def definition(self, tmp_path: Path) -> str:
        """A file there is."""
        path = tmp_path / "example.json"
        path.write_text("{}")
        return str(path)

    def test_example_is_followed_with_the_ports_of_the_stack(
        self, definition: str, programs: FakePrograms, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(record, "load", lambda: Stack("embedded", "conf", {"REDIS_CLIENT_PORT": 6400}))
        programs.answer("-m", "devtools.follow", code=1)

        assert example.run(definition) == 1
        [call] = programs.calls
        assert call.argv[-1] == definition
        assert call.env["REDIS_CLIENT_PORT"] == "6400"
        assert call.env["PYTHONPATH"] == f"{ROOT}:{ROOT / 'src'}"

    def test_missing_file_names_one_that_is_there(self) -> None:
        with pytest.raises(DevError, match=r"there is no file gone\.json; try examples/ticket-follow-up\.json"):
            example.run("gone.json")

    def test_stack_that_does_not_run_names_the_command(self, definition: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(record, "load", lambda: None)

        with pytest.raises(DevError, match=r"start it with \./dev up"):
            example.run(definition)


class TestRebuild:
    def test_projections_are_rebuilt_on_the_ports_of_the_stack(
        self, programs: FakePrograms, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ports = {"REDIS_CLIENT_PORT": 6400, "TEMPORAL_GRPC_PORT": 7300}
        monkeypatch.setattr(record, "load", lambda: Stack("embedded", "conf", ports))
        programs.answer("-m", "workflow_worker.rebuild", code=1)

        assert rebuild.rebuild("acme", None) == 1
        [call] = programs.calls
        assert call.argv[-2:] == ["--tenant", "acme"]
        assert call.env["REDIS_URL"] == "redis://127.0.0.1:6400/0"
        assert call.env["TEMPORAL_ADDRESS"] == "127.0.0.1:7300"

    def test_stack_that_does_not_run_names_the_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(record, "load", lambda: None)

        with pytest.raises(DevError, match=r"start it with \./dev up"):
            rebuild.rebuild(None, None)


class TestCheck:
    def test_documents_of_the_build_are_checked_against_the_working_tree(
        self, programs: FakePrograms, built: Path
    ) -> None:
        documents = {"python": ["/loader", "/python3"], "images": {"a": {"sourceRoot": "/nix/store/s", "image": "a"}}}
        (built / "boundary-inputs").write_text(json.dumps(documents))
        read: list[dict[str, str]] = []

        def remember(call: Call) -> None:
            read.append(json.loads(Path(call.argv[-1]).read_text()))

        programs.answer("boundary", code=1, effect=remember)

        assert check.check("sarif") == 1
        [call] = programs.calls
        assert call.argv[:2] == ["/loader", "/python3"]
        assert call.argv[call.argv.index("--format") + 1] == "sarif"
        assert read == [{"sourceRoot": str(ROOT / "src"), "image": "a"}]
