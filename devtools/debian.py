"""The Debian half of `./dev lock` and `./dev fetch`: lock.json and the base trees. Host process only."""

import difflib
import hashlib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from devtools import nixcli
from devtools.aptroot import AptRoot, Candidate
from devtools.console import step, warn
from devtools.debtree import unpack
from devtools.errors import DevError
from devtools.paths import DEBIAN, DEBIAN_LOCK, STATE

LOCK_VERSION = 1
ARCHITECTURES = {"x86_64-linux": "amd64", "aarch64-linux": "arm64"}

Lock = dict[str, Any]


def read_lock() -> Lock:
    """lock.json, checked for its version."""
    try:
        lock: Lock = json.loads(DEBIAN_LOCK.read_text())
    except FileNotFoundError:
        raise DevError(f"{DEBIAN_LOCK.name} is missing: run ./dev lock") from None
    if lock.get("version") != LOCK_VERSION:
        raise DevError(
            f"lock.json has version {lock.get('version')!r}, this checkout reads {LOCK_VERSION}: run ./dev lock"
        )
    return lock


def write_lock(lock: Lock) -> str:
    """Write lock.json and return the diff to the former text, empty when nothing changed."""
    before = DEBIAN_LOCK.read_text() if DEBIAN_LOCK.exists() else ""
    after = json.dumps(lock, indent=2, sort_keys=True) + "\n"
    DEBIAN_LOCK.write_text(after)
    lines = difflib.unified_diff(
        before.splitlines(True), after.splitlines(True), "lock.json (before)", "lock.json (now)", n=0
    )
    return "".join(lines)


def lock_all() -> str:
    """Pin every base of every architecture to what the archive offers now; the diff of lock.json."""
    declared = nixcli.evaluate_file(DEBIAN / "bases.nix", "")
    systems: dict[str, Any] = {}
    for system, architecture in ARCHITECTURES.items():
        apt = _apt_root(declared["suite"], architecture)
        systems[system] = {
            base: _locked_base(apt, system, base, apt.candidates(names)) for base, names in declared["bases"].items()
        }
    return write_lock({"version": LOCK_VERSION, "suite": declared["suite"], "systems": systems})


def fetch(missing: Iterable[str], system: str) -> dict[str, str]:
    """Add the named bases of ``system`` to the Nix store: their paths. What the archive superseded is re-locked."""
    names = sorted(missing)
    if not names:
        return {}
    lock = read_lock()
    apt = _apt_root(lock["suite"], ARCHITECTURES[system])
    paths: dict[str, str] = {}
    for base in names:
        packages, superseded = _available(apt, lock["systems"][system][base]["packages"])
        with tempfile.TemporaryDirectory() as scratch:
            tree = _build_tree(apt, system, base, packages, Path(scratch))
            found = nixcli.tree_hash(tree)
            if superseded:
                warn(f"superseded in the {base} base: {', '.join(superseded)}")
                lock["systems"][system][base] = _base_entry(packages, found)
            elif found != lock["systems"][system][base]["treeHash"]:
                raise DevError(
                    f"the {base} base unpacks to {found}, lock.json says {lock['systems'][system][base]['treeHash']}: "
                    "the unpacking rule in devtools/debtree.py changed; run ./dev lock"
                )
            paths[base] = nixcli.add_fixed(tree, recursive=True)
    _announce(write_lock(lock))
    return paths


def _announce(diff: str) -> None:
    if diff:
        warn("the archive has superseded pinned packages; nix/toolchains/debian/lock.json was re-locked. Commit this:")
        warn(diff)


def _apt_root(suite: str, architecture: str) -> AptRoot:
    step(f"reading the signed package lists of Debian {suite} ({architecture})")
    apt = AptRoot(STATE / "apt" / architecture, suite, architecture)
    apt.refresh()
    return apt


def _available(apt: AptRoot, locked: list[dict[str, str]]) -> tuple[list[Candidate], list[str]]:
    pinned = [Candidate(**entry) for entry in locked]
    offered = apt.offered([package.name for package in pinned])
    packages = [package if package in offered else apt.candidates([package.name])[0] for package in pinned]
    changed = [
        f"{old.name} {old.version} -> {new.version}" for old, new in zip(pinned, packages, strict=True) if old != new
    ]
    return packages, changed


def _locked_base(apt: AptRoot, system: str, base: str, packages: list[Candidate]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        tree = _build_tree(apt, system, base, packages, Path(scratch))
        return _base_entry(packages, nixcli.tree_hash(tree))


def _base_entry(packages: list[Candidate], tree_hash: str) -> dict[str, Any]:
    return {"packages": [vars(package) for package in packages], "treeHash": tree_hash}


def _build_tree(apt: AptRoot, system: str, base: str, packages: list[Candidate], scratch: Path) -> Path:
    step(f"fetching the {base} base for {system}: {len(packages)} Debian packages")
    debs = scratch / "debs"
    apt.download([(package.name, package.version) for package in packages], debs)
    files = sorted(debs.glob("*.deb"))
    _verify(files, packages)
    tree = scratch / f"debian-{base}"
    tree.mkdir()
    unpack(files, tree)
    return tree


def _verify(files: list[Path], packages: list[Candidate]) -> None:
    found = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    for package in packages:
        if package.sha256 not in found:
            raise DevError(
                f"the downloaded {package.name} {package.version} has another SHA-256 than lock.json: nothing was added"
            )
