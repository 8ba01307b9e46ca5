"""The stack in containers: which engine, which images, which commands."""

from pathlib import Path

import pytest
from devtools.archives import Archive
from devtools.errors import DevError
from devtools.stack import composed
from devtools.stack.record import Stack
from tests.fakes.programs import FakePrograms
from tests.unit.devtools.conftest import install

STACK = Stack("compose", "/compose.yml", {"P": 1}, engine=["docker", "compose"], project="workflow-runtime")


@pytest.fixture
def image(tmp_path: Path) -> Archive:
    """A built image."""
    path = tmp_path / "redis.tar"
    path.write_bytes(b"archive")
    return Archive(path, "redis", "abc", 7)


class TestEngine:
    def test_none_is_installed(self, on_path: Path) -> None:
        assert composed.engine() == (None, "no container engine is installed")

    def test_none_answers(self, on_path: Path, programs: FakePrograms) -> None:
        install(on_path, "docker")
        programs.answer("docker", "info", code=1)

        assert composed.engine() == (None, "no container engine answers")

    def test_compose_v2_is_preferred(self, on_path: Path, programs: FakePrograms) -> None:
        install(on_path, "docker", "docker-compose")
        programs.answer("docker")

        assert composed.engine() == (["docker", "compose"], "a container engine answers")

    def test_compose_1_29_does(self, on_path: Path, programs: FakePrograms) -> None:
        install(on_path, "docker", "docker-compose")
        programs.answer("docker")
        programs.answer("docker", "compose", "version", code=1)

        assert composed.engine() == (["docker-compose"], "a container engine answers")

    def test_engine_without_compose_is_not_enough(self, on_path: Path, programs: FakePrograms) -> None:
        install(on_path, "docker")
        programs.answer("docker")
        programs.answer("docker", "compose", "version", code=1)

        command, reason = composed.engine()
        assert command is None
        assert "neither `docker compose` nor docker-compose" in reason


class TestImages:
    def test_known_image_is_not_loaded_again(self, programs: FakePrograms, image: Archive) -> None:
        programs.answer("docker", "image", "inspect", "redis:abc")

        composed.load_images([image])

        assert programs.called("load") == []

    def test_unknown_image_is_loaded(self, programs: FakePrograms, image: Archive) -> None:
        programs.answer("docker", "image", "inspect", code=1)
        programs.answer("docker", "load")

        composed.load_images([image])

        assert len(programs.called("load")) == 1

    def test_refused_image_is_named_with_the_engines_reason(self, programs: FakePrograms, image: Archive) -> None:
        programs.answer("docker", "image", "inspect", code=1)
        programs.answer("docker", "load", code=1, stderr="no space left on device\n")

        with pytest.raises(DevError, match="the engine did not load redis:abc: no space left on device"):
            composed.load_images([image])


class TestStack:
    def test_offset_has_a_project_of_its_own(self) -> None:
        assert (composed.project(0), composed.project(100)) == ("workflow-runtime", "workflow-runtime-100")

    def test_start_passes_ports_and_settings(self, programs: FakePrograms) -> None:
        programs.answer("up")

        stack = composed.start(["docker", "compose"], "/compose.yml", {"LOG_LEVEL": ""}, {"P": 1}, "workflow-runtime")

        assert stack == STACK
        [call] = programs.calls
        assert call.argv[:6] == ["docker", "compose", "--project-name", "workflow-runtime", "--file", "/compose.yml"]
        assert (call.env["P"], call.env["LOG_LEVEL"]) == ("1", "")

    @pytest.mark.parametrize(("wipe", "volumes"), [(False, []), (True, ["--volumes"])])
    def test_volumes_go_only_when_wiped(self, wipe: bool, volumes: list[str], programs: FakePrograms) -> None:
        programs.answer("down")

        composed.stop(STACK, wipe=wipe)

        assert [word for word in programs.calls[0].argv if word == "--volumes"] == volumes

    def test_ended_container_is_a_problem_with_its_last_words(self, programs: FakePrograms) -> None:
        programs.answer("docker", "ps", stdout="c1\nc2\n")
        programs.answer("docker", "logs", "c1", stdout="TEMPORAL_TASK_QUEUES names workflow-runtime-v2\n")

        assert composed.problem(STACK) == "a container has ended: TEMPORAL_TASK_QUEUES names workflow-runtime-v2"

    def test_running_containers_are_no_problem(self, programs: FakePrograms) -> None:
        programs.answer("docker", "ps")

        assert composed.problem(STACK) is None
