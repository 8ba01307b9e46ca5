"""The images of images/, built once for all tests of their content."""

from typing import Any

import pytest
import yaml
from devtools import fetch, nixcli
from tests.closure.archive import ImageArchive
from tests.closure.declared import NAMES, declarations


@pytest.fixture(scope="session")
def archives() -> dict[str, ImageArchive]:
    """Every image, built in the sandbox by one call of Nix."""
    fetch.require_sources()
    built = nixcli.build([f"{name}-image" for name in NAMES])
    return {name: ImageArchive(name, built[f"{name}-image"]) for name in NAMES}


@pytest.fixture(params=NAMES)
def image(request: pytest.FixtureRequest, archives: dict[str, ImageArchive]) -> ImageArchive:
    """Each image in turn."""
    return archives[request.param]


@pytest.fixture(params=[name for name in NAMES if name.startswith("workflow-") or name.startswith("temporal-")])
def python_image(request: pytest.FixtureRequest, archives: dict[str, ImageArchive]) -> ImageArchive:
    """Each image that runs Python in turn."""
    assert declarations()[request.param]["base"] == "python"
    return archives[request.param]


@pytest.fixture(params=["temporal-worker", "workflow-worker"])
def worker(request: pytest.FixtureRequest, archives: dict[str, ImageArchive]) -> ImageArchive:
    """Each worker image in turn."""
    return archives[request.param]


@pytest.fixture(scope="session")
def compose(archives: dict[str, ImageArchive]) -> dict[str, Any]:
    """The generated compose file of these images."""
    composed: dict[str, Any] = yaml.safe_load(nixcli.build(["compose"])["compose"].read_text())
    return composed
