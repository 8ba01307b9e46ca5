"""What is in each image: its declared closure, and nothing else."""

import csv
import io
import re

import pytest
from devtools.paths import ROOT
from packaging.utils import canonicalize_name
from tests.closure import declared
from tests.closure.archive import ImageArchive

pytestmark = pytest.mark.nix

PACKAGES = "app/lib/python3.13/site-packages/"
FIRST_PARTY = {path.name for path in (ROOT / "src").iterdir() if path.is_dir() and path.name != "__pycache__"}

SHELLS_AND_PACKAGE_MANAGERS = {
    "ash", "bash", "busybox", "dash", "fish", "ksh", "sh", "tcsh", "zsh",
    "apk", "apt", "apt-get", "dnf", "dpkg", "dpkg-deb", "nix", "pip", "pip3", "rpm", "uv", "yum",
    "awk", "curl", "gawk", "mawk", "nc", "perl", "wget",
}  # fmt: skip

_PROGRAM_DIRECTORY = re.compile(r"^(usr/|usr/local/|app/)?s?bin/[^/]+$")


def _site_packages(image: ImageArchive) -> set[str]:
    files = {name for name, entry in image.tree.items() if entry.is_file}
    return {name.removeprefix(PACKAGES) for name in files if name.startswith(PACKAGES)}


def _dist_infos(image: ImageArchive) -> set[str]:
    return {name.split("/")[0] for name in _site_packages(image) if ".dist-info/" in name}


def _recorded(image: ImageArchive) -> set[str]:
    """Every file the wheels' own RECORD files list, as it is installed."""
    recorded = set()
    for directory in _dist_infos(image):
        text = image.tree[f"{PACKAGES}{directory}/RECORD"].content.decode()
        recorded |= {row[0] for row in csv.reader(io.StringIO(text)) if row}
    return recorded


def _modules(image: ImageArchive) -> set[str]:
    """First-party files, dotted without suffix: `workflow_runtime.core.contract`."""
    files = {name for name in _site_packages(image) if name.split("/")[0] in FIRST_PARTY and "__pycache__" not in name}
    return {re.sub(r"\.\w+$", "", name).replace("/", ".") for name in files}


def test_only_declared_distributions_are_installed(image: ImageArchive) -> None:
    installed = {}
    for directory in _dist_infos(image):
        name, version = directory.removesuffix(".dist-info").rsplit("-", 1)
        installed[canonicalize_name(name)] = version

    assert installed == declared.distributions(image.name)


def test_no_image_holds_a_wheel_of_another_group(image: ImageArchive) -> None:
    others = {name for other in declared.NAMES for name in declared.distributions(other)}
    foreign = others - set(declared.distributions(image.name))

    assert not {canonicalize_name(directory.rsplit("-", 1)[0]) for directory in _dist_infos(image)} & foreign


def test_every_file_belongs_to_a_wheel_or_to_a_declared_package(image: ImageArchive) -> None:
    recorded = _recorded(image)
    stray = {
        name
        for name in _site_packages(image)
        if name not in recorded and "__pycache__/" not in name and name.split("/")[0] not in FIRST_PARTY
    }

    assert stray == set()


def test_byte_code_stands_beside_its_source(python_image: ImageArchive) -> None:
    names = set(python_image.tree)
    cached = re.compile(r"__pycache__/([^/]+)\.cpython-313\.pyc$")
    compiled = {cached.sub(r"\1.py", name) for name in names if name.endswith(".pyc")}
    own = {f"{PACKAGES}{name}" for name in _site_packages(python_image) if name.split("/")[0] in FIRST_PARTY}

    assert compiled - names == set()
    assert {name for name in own if name.endswith(".py")} - compiled == set()


def test_only_declared_first_party_packages_are_there(image: ImageArchive) -> None:
    packages = declared.packages(image.name)
    inits = {".".join([*package.split(".")[:depth], "__init__"]) for package in packages for depth in range(1, 9)}
    prefixes = tuple(f"{package}." for package in packages)
    stray = {module for module in _modules(image) if module not in inits and not f"{module}.".startswith(prefixes)}

    assert stray == set()


def test_every_declared_first_party_package_is_there(image: ImageArchive) -> None:
    assert {f"{package}.__init__" for package in declared.packages(image.name)} <= _modules(image)


def test_workers_hold_neither_bootstrap_nor_the_server(worker: ImageArchive) -> None:
    assert [name for name in worker.tree if "bootstrap" in name.split("/") and "workflow_runtime" in name] == []
    assert [name for name in worker.tree if "workflow_server" in name] == []


def test_server_holds_bootstrap(archives: dict[str, ImageArchive]) -> None:
    assert "workflow_runtime.bootstrap.__init__" in _modules(archives["workflow-server"])


def test_no_image_holds_tests_or_tools_of_this_repository(image: ImageArchive) -> None:
    assert not [name for name in image.tree if name.startswith(PACKAGES + "tests/") or "devtools" in name.split("/")]


def test_no_shell_and_no_package_manager(image: ImageArchive) -> None:
    programs = {name.rsplit("/", 1)[-1] for name in image.tree if _PROGRAM_DIRECTORY.match(name)}

    assert programs & SHELLS_AND_PACKAGE_MANAGERS == set()
    assert image.resolve("/bin/sh") is None
    assert not [name for name in image.tree if re.search(r"/(pip|ensurepip|setuptools|apt|dpkg)/", f"/{name}/")]


def test_nothing_leads_out_of_an_image(image: ImageArchive) -> None:
    links = [entry for entry in image.tree.values() if entry.is_link]

    assert [f"{link.name} -> {link.target}" for link in links if image.resolve(link.name) is None] == []
    assert [name for name, entry in image.tree.items() if b"/nix/store/" in entry.content] == []
