"""Measures the image builds: ``python3 -m benchmarks.build``. Needs fetched sources (./dev fetch) and nothing else.

Every build is a real one: the tree is copied, and a comment with a random number in the builders' entry point gives
every derivation a new name, so that nothing but the locked sources is taken from the store.
"""

import gzip
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from devtools import fetch, nixcli
from devtools.archives import Archive, read
from devtools.console import table
from devtools.paths import ROOT
from devtools.process import run

IMAGES = ("workflow-worker", "temporal-worker", "workflow-server", "redis", "temporal")


def main() -> None:
    """Copy, salt, build, edit, build again, print."""
    fetch.require_sources()
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        _copy(tree)
        salt = tree / "nix" / "builders" / "__main__.py"
        salt.write_text(f"{salt.read_text()}# {random.random()}\n")
        evaluation = min(_timed(lambda: _evaluate(tree)) for _ in range(3))
        one = _timed(lambda: _build(tree, ["workflow-worker"]))
        salt.write_text(f"{salt.read_text()}# {random.random()}\n")
        five = _timed(lambda: _build(tree, list(IMAGES)))
        source = tree / "src" / "workflow_worker" / "__init__.py"
        source.write_text(f"{source.read_text()}\n# one line\n")
        edit = _timed(lambda: _build(tree, ["workflow-worker"]))
        again = _timed(lambda: _build(tree, list(IMAGES)))
        archives = {name: _archive(tree, name) for name in IMAGES}
    rows = [
        ["evaluate workflow-worker-image", f"{evaluation:.2f} s", f"{evaluation / five:.3f}"],
        ["build workflow-worker-image from sources", f"{one:.1f} s", f"{one / five:.2f}"],
        ["build all five images from sources", f"{five:.1f} s", "1.00"],
        ["workflow-worker-image after a one-line edit", f"{edit:.2f} s", f"{edit / five:.3f}"],
        ["all five after a one-line edit", f"{again:.2f} s", f"{again / five:.3f}"],
    ]
    print(table(["WHAT", "TIME", "OF ALL FIVE"], rows))
    print()
    sizes = [
        [name, f"{archive.size / 1e6:.1f} MB", f"{_gzipped(archive.path) / 1e6:.1f} MB"]
        for name, archive in archives.items()
    ]
    print(table(["IMAGE", "RAW", "GZIP -6"], sizes))


def _copy(tree: Path) -> None:
    files = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], what="listing the tree", cwd=ROOT)
    for name in files.split():
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)


def _timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _evaluate(tree: Path) -> None:
    attribute = f"path:{tree}#packages.{nixcli.system()}.workflow-worker-image.drvPath"
    run(["nix", "eval", "--raw", attribute], what="evaluating", env=nixcli.environment())


def _build(tree: Path, names: list[str]) -> None:
    installables = [f"path:{tree}#{name}-image" for name in names]
    run(["nix", "build", "--no-link", *installables], what="building", env=nixcli.environment())


def _archive(tree: Path, name: str) -> Archive:
    attribute = f"path:{tree}#packages.{nixcli.system()}.{name}-image.outPath"
    return read(Path(run(["nix", "eval", "--raw", attribute], what="asking for a path", env=nixcli.environment())))


def _gzipped(path: Path) -> int:
    with tempfile.TemporaryFile() as sink:
        with path.open("rb") as source, gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=6, mtime=0) as compressed:
            shutil.copyfileobj(source, compressed, 1 << 20)
        return sink.tell()


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        raise SystemExit(f"benchmark: {error}") from None
