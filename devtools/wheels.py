"""The Python half of `./dev fetch`: locked wheels, through this machine's own pip. Host process only."""

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

from devtools import nixcli
from devtools.console import step
from devtools.errors import DevError
from devtools.process import run


class Wheel(TypedDict):
    """One locked wheel as `nix eval .#lib.sources` names it; ``hash`` is ``sha256:<hex>``."""

    name: str
    version: str
    file: str
    hash: str
    path: str


def fetch(wheels: list[Wheel]) -> None:
    """Download exactly the given files, verify them and add them to the store. One pip run for all."""
    if not wheels:
        return
    step(f"fetching {len(wheels)} wheels through pip")
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        requirements = directory / "requirements.txt"
        requirements.write_text("".join(f"{w['name']}=={w['version']} --hash={w['hash']}\n" for w in wheels))
        target = directory / "wheels"
        run([*_pip(), *_tags(wheels), "--dest", target, "--requirement", requirements], what="downloading wheels")
        for wheel in wheels:
            _add(target / wheel["file"], wheel)


def _pip() -> list[str]:
    # --no-deps and --require-hashes: the lock file has decided; pip only transports. Its hash check keeps to the one
    # file the lock names, and no configured constraint may move a version.
    return [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--disable-pip-version-check", "--implementation", "cp", "--python-version", "3.13",
    ]  # fmt: skip


def _tags(wheels: list[Wheel]) -> list[str]:
    abis = {abi for wheel in wheels for abi in wheel["file"].removesuffix(".whl").split("-")[-2].split(".")}
    platforms = {tag for wheel in wheels for tag in wheel["file"].removesuffix(".whl").split("-")[-1].split(".")}
    return [
        *(flag for abi in sorted(abis) for flag in ("--abi", abi)),
        *(flag for platform in sorted(platforms) for flag in ("--platform", platform)),
    ]


def _add(path: Path, wheel: Wheel) -> None:
    if not path.exists():
        raise DevError(f"pip brought another file than {wheel['file']} for {wheel['name']} {wheel['version']}")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if wheel["hash"] != f"sha256:{digest}":
        raise DevError(f"{wheel['file']} has SHA-256 {digest}, poetry.lock says {wheel['hash']}: nothing was added")
    added = nixcli.add_fixed(path, recursive=False)
    if added != wheel["path"]:
        raise DevError(
            f"{wheel['file']} became {added}, Nix expects {wheel['path']}: report this, with `nix --version`"
        )
