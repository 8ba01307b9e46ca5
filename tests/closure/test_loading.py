"""The archives in a real container engine: they load under their tags and start without rights, network or a shell."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from tests.closure import declared
from tests.closure.archive import ImageArchive

pytestmark = [pytest.mark.nix, pytest.mark.compose]

_LOCKED_DOWN = ("--rm", "--read-only", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges")

_QUESTION = """
import importlib.util, json, os
identity = json.load(open("/etc/workflow-runtime/image.json"))
print(os.getuid(), identity["name"], importlib.util.find_spec("workflow_runtime.bootstrap") is not None)
"""


def _docker(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *argv], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def engine() -> None:
    """A container engine; only CI must have one."""
    try:
        answers = _docker("info").returncode == 0
    except FileNotFoundError:
        answers = False
    if not answers and os.environ.get("CI"):
        pytest.fail("CI must have a container engine; .ci/run starts one")
    if not answers:
        pytest.skip("no container engine answers on this machine")


@pytest.fixture
def loaded(engine: None, image: ImageArchive) -> Iterator[str]:
    """The reference of an image the engine has loaded; removed again unless it was there before."""
    [reference] = image.manifest["RepoTags"]
    known = _docker("image", "inspect", reference).returncode == 0
    done = _docker("load", "--input", str(image.path))
    assert done.stdout.strip() == f"Loaded image: {reference}", done.stderr
    yield reference
    if not known:
        _docker("image", "rm", reference)


def _run(reference: str, *options: str, arguments: tuple[str, ...]) -> str:
    done = _docker("run", *_LOCKED_DOWN, *options, reference, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_image_loads_and_its_program_starts(loaded: str, image: ImageArchive) -> None:
    base = declared.declarations()[image.name]["base"]
    if base == "python":
        bootstrap = "workflow_runtime.bootstrap" in declared.packages(image.name)
        answer = _run(loaded, "--entrypoint=/app/bin/python3", arguments=("-I", "-c", _QUESTION))
        assert answer == f"65532 {image.name} {bootstrap}"
    else:
        assert re.search(r"\b[0-9]+\.[0-9]+\.[0-9]+\b", _run(loaded, arguments=("--version",)))


def test_image_has_no_shell_to_start(loaded: str) -> None:
    done = _docker("run", *_LOCKED_DOWN, "--entrypoint=/bin/sh", loaded, "-c", "true")

    assert done.returncode == 127
