"""Images are functions of their inputs: building again changes nothing, and an edit rebuilds only what it must."""

import os
import subprocess
from pathlib import Path

import pytest
from devtools import nixcli
from tests.closure.archive import ImageArchive
from tests.closure.declared import NAMES
from tests.nix.checkout import Checkout, plain

pytestmark = pytest.mark.nix

_NOT_CONTENT = ("debian-", "boundary-", "ownership-")


@pytest.fixture(scope="module")
def unedited(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What each image is built from before an edit."""
    checkout = Checkout(tmp_path_factory.mktemp("unedited"))
    return {name: checkout.requisites(name) for name in NAMES}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout to edit."""
    return Checkout(tmp_path / "checkout")


def _new(checkout: Checkout, unedited: dict[str, set[str]]) -> dict[str, set[str]]:
    """What each image is built from after an edit and was not before, by plain name; unaffected images are left out."""
    changed = {name: checkout.requisites(name) - unedited[name] for name in NAMES}
    return {name: {plain(path) for path in paths} for name, paths in changed.items() if paths}


def _rebuilt(image: str) -> set[str]:
    """All that may follow from an edit of one image's own source."""
    return {
        "first-party",
        f"{image}-source.drv",
        f"{image}-closure.drv",
        f"boundary-{image}.drv",
        f"ownership-{image}.drv",
        f"{image}-image.tar.drv",
    }


@pytest.mark.parametrize(
    ("file", "image"),
    [
        ("src/workflow_worker/__init__.py", "workflow-worker"),
        ("src/temporal_worker/__init__.py", "temporal-worker"),
        ("src/workflow_server/__init__.py", "workflow-server"),
    ],
)
def test_edit_of_one_program_rebuilds_its_source_its_checks_and_its_image(
    file: str, image: str, checkout: Checkout, unedited: dict[str, set[str]]
) -> None:
    checkout.append(file, "\n# one more line\n")

    assert _new(checkout, unedited) == {image: _rebuilt(image)}


def test_edit_of_shared_code_rebuilds_every_image_that_holds_it_and_no_wheel(
    checkout: Checkout, unedited: dict[str, set[str]]
) -> None:
    checkout.append("src/workflow_runtime/core/contract.py", "\n# one more line\n")

    images = ("temporal-worker", "workflow-server", "workflow-worker")
    assert _new(checkout, unedited) == {image: _rebuilt(image) for image in images}


def test_edit_of_bootstrap_rebuilds_the_server_only(checkout: Checkout, unedited: dict[str, set[str]]) -> None:
    checkout.append("src/workflow_runtime/bootstrap/__init__.py", "\n# one more line\n")

    assert _new(checkout, unedited) == {"workflow-server": _rebuilt("workflow-server")}


@pytest.mark.parametrize("file", ["README.md", "tests/conftest.py", "devtools/__init__.py"])
def test_edit_outside_the_images_rebuilds_nothing(file: str, checkout: Checkout, unedited: dict[str, set[str]]) -> None:
    checkout.append(file, "\n")

    assert _new(checkout, unedited) == {}


def test_building_everything_again_gives_the_same_bytes(
    archives: dict[str, ImageArchive], unedited: dict[str, set[str]]
) -> None:
    assert set(archives) == set(unedited)
    everything = set.union(*unedited.values())
    built = sorted(path for path in everything if _makes_content(path))

    done = subprocess.run(
        ["nix-store", "--realise", "--check", *built],
        env={**os.environ, **nixcli.environment()},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-4000:]


def _makes_content(path: str) -> bool:
    """A derivation whose output goes into an image: no locked source, and no check, which writes a fixed line."""
    name = plain(path)
    return name.endswith(".drv") and not name.endswith(".whl.drv") and not name.startswith(_NOT_CONTENT)
