"""The builders behind `nix flake check`: a command over copies of sources, and what an image's code says it owns."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.interpreter import python
from tests.unit.builders.conftest import Build

import check_ownership
import run_check


@pytest.fixture
def in_build_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty build directory, which is the current one."""
    directory = tmp_path / "build-directory"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


def _command(given: Build, code: str, sources: dict[str, str]) -> Path:
    document = {"name": "x", "argv": [*python(), "-c", code], "sources": sources, "env": {"WORD": "set"}}
    return given(document)["out"]


class TestRunCheck:
    def test_command_sees_its_sources_and_nothing_else_of_the_host(
        self, given: Build, tmp_path: Path, in_build_directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOST_SECRET", "1")
        (tmp_path / "src/pkg").mkdir(parents=True)
        (tmp_path / "src/pkg/a.txt").write_text("content")
        (tmp_path / "one.toml").write_text("toml")
        code = "import os; print(open('src/pkg/a.txt').read(), open('one.toml').read(), 'HOST_SECRET' in os.environ)"
        output = _command(given, code, {"src": str(tmp_path / "src"), "one.toml": str(tmp_path / "one.toml")})

        assert run_check.main() == 0
        assert output.read_text() == "content toml False\n"

    def test_copies_can_be_written_although_sources_cannot(
        self, given: Build, tmp_path: Path, in_build_directory: Path
    ) -> None:
        source = tmp_path / "src"
        source.mkdir()
        (source / "a.txt").write_text("read-only")
        (source / "a.txt").chmod(0o444)
        source.chmod(0o555)
        _command(given, "open('src/a.txt', 'w').write('x'); open('src/b.txt', 'w')", {"src": str(source)})

        assert run_check.main() == 0
        assert (source / "a.txt").read_text() == "read-only"

    def test_failing_command_fails_the_build_with_its_output(
        self, given: Build, tmp_path: Path, in_build_directory: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a").touch()
        output = _command(
            given, "print('2 files would be reformatted'); raise SystemExit(3)", {"a": str(tmp_path / "a")}
        )

        assert run_check.main() == 3
        assert capsys.readouterr().out == "2 files would be reformatted\n"
        assert not output.exists()


class TestOwnership:
    def _document(self, answer: str, **owns: list[str]) -> dict[str, Any]:
        """An image whose interpreter ignores the question and runs `answer`."""
        interpreter = [*python(), "-c", f"import sys; sys.argv = []\n{answer}", "ignored"]
        return {"image": "worker", "interpreter": interpreter, "queues": [], "consumerGroups": [], **owns}

    def test_code_that_agrees_passes(self, given: Build) -> None:
        said = json.dumps({"queues": ["jobs"], "consumerGroups": ["readers"]})
        output = given(self._document(f"print({said!r})", queues=["jobs"], consumerGroups=["readers"]))["out"]

        check_ownership.main()

        assert output.read_text() == "worker: the declaration and the code agree\n"

    def test_every_difference_is_named_with_what_to_change(
        self, given: Build, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = json.dumps({"queues": ["jobs", "more"], "consumerGroups": []})
        output = given(self._document(f"print({said!r})", queues=["jobs", "less"], consumerGroups=["readers"]))["out"]

        with pytest.raises(SystemExit) as ended:
            check_ownership.main()

        assert ended.value.code == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 3
        assert "images/worker.nix owns the queue 'less'" in lines[0]
        assert "the queue 'more', which images/worker.nix does not own: add \"more\" to owns.queues" in lines[1]
        assert "images/worker.nix owns the consumer group 'readers'" in lines[2]
        assert not output.exists()

    def test_code_that_cannot_be_asked_fails_the_build(self, given: Build, capsys: pytest.CaptureFixture[str]) -> None:
        given(self._document("sys.exit(1)"))

        with pytest.raises(SystemExit):
            check_ownership.main()

        assert capsys.readouterr().err == (
            "error: worker: its code could not be asked what it owns; the reason stands above\n"
        )


def test_question_is_answered_by_the_code_of_this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(sys, "argv", ["-c", "workflow-worker"])

    exec(check_ownership._QUESTION, {"print": said.append})

    assert json.loads(said[0]) == {"queues": ["workflow-runtime-v2"], "consumerGroups": ["workflow-runtime-v2"]}
