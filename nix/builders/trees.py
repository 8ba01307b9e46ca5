"""File trees of an image: an unpacked wheel, a copied source package, and their byte code. Runs inside a Nix build."""

import os
import py_compile
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

SITE_PACKAGES = PurePosixPath("lib/python3.13/site-packages")
"""Below the virtual environment's prefix: /app in an image, the store path of a closure elsewhere."""


class TreeError(Exception):
    """A tree that cannot be made; the message names the file and the reason."""


def copy_tree(source: Path, target: Path) -> None:
    """Copy files, links and the executable bit; everything becomes writable so that byte code can be added."""
    for directory, names, files in os.walk(source):
        here = target / Path(directory).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        for name in [*names, *files]:
            original = Path(directory, name)
            if original.is_symlink():
                (here / name).symlink_to(os.readlink(original))
            elif original.is_file():
                shutil.copyfile(original, here / name)
                (here / name).chmod(0o755 if os.access(original, os.X_OK) else 0o644)


def unpack_wheel(wheel: Path, prefix: Path) -> None:
    """Install a wheel below ``prefix`` by the binary distribution format: packages, data, scripts. No entry points."""
    with zipfile.ZipFile(wheel) as archive:
        data = _data_directory(archive.namelist(), wheel)
        for info in archive.infolist():
            if info.is_dir():
                continue
            path, executable = _installed_path(PurePosixPath(info.filename), data, wheel)
            target = prefix / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            mode = info.external_attr >> 16
            target.chmod(0o755 if executable or mode & 0o111 else 0o644)


def _data_directory(names: list[str], wheel: Path) -> str:
    """``name-version.data`` of the wheel's own ``name-version.dist-info``; any other ``….data`` is an ordinary name."""
    described = {name.split("/")[0] for name in names if name.count("/") == 1 and name.endswith(".dist-info/WHEEL")}
    if len(described) != 1:
        raise TreeError(f"{wheel.name} is no wheel: it holds {len(described)} files named *.dist-info/WHEEL, not one")
    return described.pop().removesuffix(".dist-info") + ".data"


def _installed_path(name: PurePosixPath, data: str, wheel: Path) -> tuple[PurePosixPath, bool]:
    if name.is_absolute() or ".." in name.parts:
        raise TreeError(f"{wheel.name} holds {name}, which points outside the installation")
    if name.parts[0] != data:
        return SITE_PACKAGES / name, False
    kind, rest = name.parts[1], PurePosixPath(*name.parts[2:])
    if kind in ("purelib", "platlib"):
        return SITE_PACKAGES / rest, False
    if kind == "scripts":
        return PurePosixPath("bin") / rest, True
    if kind == "headers":
        return PurePosixPath("include") / rest, False
    if kind == "data":
        return rest, False
    raise TreeError(f"{wheel.name} holds {name}: wheels have no data of kind {kind!r}")


def drop(tree: Path, paths: list[str]) -> None:
    """Remove ``paths`` below site-packages and their lines in RECORD; a path that is not there is an error."""
    packages = tree / SITE_PACKAGES
    for path in paths:
        if not (packages / path).is_dir():
            raise TreeError(f"nix/trims.nix drops {path}, which the wheel does not have: correct the list")
        shutil.rmtree(packages / path)
    for record in packages.glob("*.dist-info/RECORD") if paths else []:
        lines = record.read_text().splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not line.startswith(tuple(f"{path}/" for path in paths))))


def compile_tree(tree: Path) -> list[str]:
    """Write unchecked-hash byte code beside every source file; returns the files that do not compile.

    Unchecked: the trees never change, so an interpreter need not look at the source. A file that does not compile (a
    template, a test of another Python's grammar) is left as it is.
    """
    broken = []
    for source in sorted(tree.rglob("*.py")):
        try:
            py_compile.compile(
                str(source),
                dfile=str(source.relative_to(tree)),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except (py_compile.PyCompileError, UnicodeDecodeError, ValueError):
            broken.append(str(source.relative_to(tree)))
    return broken


def walk_sorted(tree: Path) -> Iterator[Path]:
    """Every directory, file and link below ``tree`` in one fixed order, parents first."""
    for path in sorted(tree.iterdir(), key=lambda entry: entry.name):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from walk_sorted(path)


def join_trees(trees: list[Path], target: Path) -> None:
    """Link several trees into one; directories merge, two files of one name are an error."""
    target.mkdir(parents=True, exist_ok=True)
    entries: dict[str, list[Path]] = {}
    for tree in trees:
        for path in tree.iterdir():
            entries.setdefault(path.name, []).append(path)
    for name, sources in sorted(entries.items()):
        if len(sources) == 1:
            (target / name).symlink_to(sources[0])
        elif all(source.is_dir() for source in sources):
            join_trees(sources, target / name)
        else:
            raise TreeError(f"{' and '.join(str(source) for source in sources)} would be the same file")
