"""Installing what ./dev itself needs: Nix, from apt. Never a container engine. Host process only."""

import os
import shutil
from pathlib import Path

from devtools.console import step
from devtools.errors import DevError
from devtools.nixcli import CONFIG
from devtools.process import run

_SYSTEM_CONFIG = Path("/etc/nix/nix.conf")


def ensure_nix() -> None:
    """Install Nix from apt when it is missing, and make plain `nix build` use the sandbox as our builds do."""
    if shutil.which("nix"):
        return
    if shutil.which("apt-get") is None:
        raise DevError("Nix is not installed and there is no apt-get to install it with: install Nix 2.8 or later")
    if os.geteuid() != 0:
        raise DevError("Nix is not installed: run `apt-get install nix-bin` as root, or ./dev as root")
    step("installing Nix from apt (nix-bin)")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-q", "update"], what="reading apt's package lists", env=environment)
    run(
        ["apt-get", "-q", "install", "-y", "--no-install-recommends", "nix-bin"],
        what="installing nix-bin",
        env=environment,
    )
    _configure()


def _configure() -> None:
    # Debian's package turns the sandbox off. Nobody else has configured this Nix: it was installed a moment ago.
    step(f"turning on flakes and the build sandbox in {_SYSTEM_CONFIG}")
    _SYSTEM_CONFIG.parent.mkdir(parents=True, exist_ok=True)
    before = _SYSTEM_CONFIG.read_text() if _SYSTEM_CONFIG.exists() else ""
    _SYSTEM_CONFIG.write_text(f"{before}\n# Added by ./dev, which installed Nix:\n{CONFIG}\n")
