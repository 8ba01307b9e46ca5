"""Installing from apt what ./dev needs: Nix, and Node for the tests. Never a container engine. Host process only."""

import grp
import os
import shutil
from pathlib import Path

from devtools.console import step, warn
from devtools.errors import DevError
from devtools.nixcli import CONFIG
from devtools.process import run

_SYSTEM_CONFIG = Path("/etc/nix/nix.conf")
_BUILD_GROUP = "nixbld"
_BUILD_USERS = 8


def ensure_nix() -> None:
    """Install Nix from apt when it is missing, and make plain `nix build` use the sandbox as our builds do."""
    if shutil.which("nix") is None:
        _install()
        _configure()
    if os.geteuid() == 0:
        _ensure_build_users()


def ensure_node() -> None:
    """Install Node and npm when one is missing: a test runs a JavaScript worker. Without them only that test fails."""
    if shutil.which("node") and shutil.which("npm"):
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        warn("node or npm is missing, so the tests of the JavaScript worker will fail: install Node 18 or later")
        return
    step("installing Node from apt (nodejs, npm)")
    try:
        _apt_install("nodejs", "npm")
    except DevError as error:
        warn(f"the tests of the JavaScript worker will fail: {error}")


def _install() -> None:
    if shutil.which("apt-get") is None:
        raise DevError("Nix is not installed and there is no apt-get to install it with: install Nix 2.8 or later")
    if os.geteuid() != 0:
        raise DevError("Nix is not installed: run `apt-get install nix-bin` as root, or ./dev as root")
    step("installing Nix from apt (nix-bin)")
    _apt_install("nix-bin")


def _apt_install(*packages: str) -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-q", "update"], what="reading apt's package lists", env=environment)
    argv = ["apt-get", "-q", "install", "-y", "--no-install-recommends", *packages]
    run(argv, what=f"installing {' and '.join(packages)}", env=environment)


def _ensure_build_users() -> None:
    """The accounts builds run as. Debian makes them in a package that brings systemd, which nothing here needs."""
    try:
        grp.getgrnam(_BUILD_GROUP)
        return
    except KeyError:
        pass
    step(f"creating the group {_BUILD_GROUP} and {_BUILD_USERS} accounts that builds run as")
    run(["groupadd", "--system", _BUILD_GROUP], what=f"creating the group {_BUILD_GROUP}")
    for number in range(1, _BUILD_USERS + 1):
        argv = ["useradd", "--system", "--gid", _BUILD_GROUP, "--groups", _BUILD_GROUP, "--home-dir", "/nonexistent"]
        argv += ["--no-create-home", "--shell", "/usr/sbin/nologin", f"{_BUILD_GROUP}{number}"]
        run(argv, what=f"creating the account {_BUILD_GROUP}{number}")


def _configure() -> None:
    # Debian's package turns the sandbox off. Nobody else has configured this Nix: it was installed a moment ago.
    step(f"turning on flakes and the build sandbox in {_SYSTEM_CONFIG}")
    _SYSTEM_CONFIG.parent.mkdir(parents=True, exist_ok=True)
    before = _SYSTEM_CONFIG.read_text() if _SYSTEM_CONFIG.exists() else ""
    _SYSTEM_CONFIG.write_text(f"{before}\n# Added by ./dev, which installed Nix:\n{CONFIG}\n")
