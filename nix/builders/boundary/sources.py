"""The first-party modules of one image: where they lie, what they are called, their text. Build process."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_COMPILED: Final = frozenset({".so", ".pyd", ".pyc", ".pyo"})
_PARSED: Final[dict[tuple[Path, str], "Module"]] = {}


@dataclass(eq=False)
class Module:
    """One first-party source file. ``display`` is its path as the report writes it: ``src/workflow_worker/main.py``."""

    name: str
    path: Path
    display: str
    is_package: bool
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        return _NEWLINE.split(self.text)

    @cached_property
    def tree(self) -> ast.Module | SyntaxError:
        """The syntax tree, or what the parser said."""
        try:
            return ast.parse(self.text, filename=self.display)
        except SyntaxError as error:
            return error
        except (RecursionError, MemoryError, ValueError) as error:
            return SyntaxError(f"cannot be parsed: {type(error).__name__}")

    @property
    def package(self) -> str:
        """The package that relative imports of this module start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def source_line(self, line: int) -> str:
        """The stripped text of a line, counted from 1."""
        return self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""


def load_modules(root: Path, prefix: str, packages: tuple[str, ...]) -> tuple[dict[str, Module], list[str]]:
    """The modules of ``packages`` with their parents' ``__init__``, and the packages that are not there."""
    modules: dict[str, Module] = {}
    missing = []
    for package in packages:
        files = list(_files_of(root, package))
        if not files:
            missing.append(package)
        for parent in parents(package):
            init = root.joinpath(*parent.split("."), "__init__.py")
            files += [init] if init.is_file() else []
        for file in files:
            module = _module(root, prefix, file)
            modules[module.name] = module
    return dict(sorted(modules.items())), missing


def module_exists(root: Path, name: str) -> bool:
    """Whether the tree holds a module or package of that name, in the closure or not."""
    base = root.joinpath(*name.split("."))
    return base.with_suffix(".py").is_file() or base.is_dir()


def _files_of(root: Path, package: str) -> Iterator[Path]:
    base = root.joinpath(*package.split("."))
    if base.with_suffix(".py").is_file():
        yield base.with_suffix(".py")
    yield from sorted(base.rglob("*.py"))


def compiled_files(root: Path, package: str) -> list[Path]:
    """Modules of a package that have no source to read, relative to ``root``."""
    files = root.joinpath(*package.split(".")).rglob("*")
    found = [file for file in files if file.suffix in _COMPILED and file.parent.name != "__pycache__"]
    return sorted(file.relative_to(root) for file in found)


def decoded(data: bytes) -> str:
    """Source text in the encoding that it declares, as Python would read it."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, LookupError, UnicodeDecodeError):
        return data.decode("utf-8", errors="replace")


def parents(package: str) -> Iterator[str]:
    """The packages around a module, outermost first."""
    parts = package.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


def _module(root: Path, prefix: str, file: Path) -> Module:
    text = decoded(file.read_bytes())
    known = _PARSED.get((file, prefix))
    if known is None or known.text != text:
        relative = file.relative_to(root)
        parts = relative.with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        known = _PARSED[file, prefix] = Module(name, file, f"{prefix}/{relative.as_posix()}", is_package, text)
    return known
