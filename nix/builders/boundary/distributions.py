"""Which distribution provides which import name, read from the wheels' own records. Build process."""

import configparser
import csv
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from boundary.manifest import Distribution, Manifest

_SUFFIX = re.compile(r"(\.cpython-[^.]+|\.abi3)?\.(py|so|pyd)$")


def normalized(name: str) -> str:
    """The name of a distribution as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_standard(name: str) -> bool:
    """Whether the import name belongs to Python itself."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in {"__main__", "_typeshed"} or top.startswith("_sysconfigdata")


class ImportNames:
    """Import name -> distribution, for the closure and, as far as the manifest tells, for what is outside it."""

    def __init__(self, manifest: Manifest) -> None:
        self._inside: dict[str, Distribution] = {}
        self._outside: dict[str, Distribution] = {}
        self._records = records = dict(_records(manifest.site_packages))
        self._inside_distributions = {normalized(distribution.name) for distribution in manifest.distributions}
        for distribution in manifest.distributions:
            record = records.get(normalized(distribution.name))
            for name in _provided(distribution, record):
                self._inside[name] = distribution
        for distribution in manifest.known_distributions:
            for name in _provided(distribution, None):
                self._outside.setdefault(name, distribution)

    def inside(self, name: str) -> Distribution | None:
        """The distribution of the closure which provides the module, by its longest known prefix."""
        return _longest(self._inside, name)

    def outside(self, name: str) -> Distribution | None:
        """The distribution outside the closure which would provide the module."""
        return _longest(self._outside, name)

    def records(self) -> list[tuple[str, Path]]:
        """Name and RECORD of each distribution of the closure that is present as a wheel."""
        return sorted((name, self._records[name]) for name in self._inside_distributions if name in self._records)

    def scripts(self, distribution: Distribution) -> frozenset[str]:
        """The commands the distribution installs, by its wheel's record and console scripts."""
        record = self._records.get(normalized(distribution.name))
        if record is None:
            return frozenset()
        entries = record.with_name("entry_points.txt")
        declared = _console_scripts(entries.read_text(encoding="utf-8")) if entries.is_file() else frozenset[str]()
        paths = [PurePosixPath(row[0]) for row in _rows(record)]
        return declared | {path.name for path in paths if path.parent.name in ("bin", "scripts")}

    def inside_names(self) -> Iterable[str]:
        """Every import name the closure's distributions provide."""
        return self._inside.keys()

    def known_tops(self) -> frozenset[str]:
        """First components of every third-party import name, in the closure or not."""
        return frozenset(name.partition(".")[0] for name in (*self._inside, *self._outside))


def _longest(table: dict[str, Distribution], name: str) -> Distribution | None:
    while name:
        if name in table:
            return table[name]
        name = name.rpartition(".")[0]
    return None


def _provided(distribution: Distribution, record: Path | None) -> Iterable[str]:
    """Its import names: as the wheel records them, else as declared, else the name itself."""
    recorded = recorded_names(record) if record else frozenset[str]()
    declared = frozenset(distribution.top_level or ())
    return recorded or declared or {normalized(distribution.name).replace("-", "_")}


def _records(directories: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for directory in directories:
        for info in sorted(directory.glob("*.dist-info")):
            if (info / "RECORD").is_file():
                yield normalized(info.name.removesuffix(".dist-info").rpartition("-")[0]), info / "RECORD"


@cache
def recorded_names(record: Path) -> frozenset[str]:
    """The import names a wheel's RECORD lists; a namespace package counts by its parts (``google.protobuf``)."""
    modules = [path for row in _rows(record) if _SUFFIX.search(path := row[0]) and _importable(path)]
    regular = {path.rpartition("/")[0] for path in modules if path.rpartition("/")[2].startswith("__init__.")}
    return frozenset(_shortest(path, regular) for path in modules)


def _rows(record: Path) -> list[list[str]]:
    with record.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.reader(stream) if row]


def _console_scripts(text: str) -> frozenset[str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(text)
    return frozenset(parser["console_scripts"]) if parser.has_section("console_scripts") else frozenset()


def _importable(path: str) -> bool:
    *folders, file = path.split("/")
    return all(part.isidentifier() for part in (*folders, file.partition(".")[0]))


def _shortest(path: str, regular: set[str]) -> str:
    """The outermost regular package on the way to a module, or the module itself in a namespace."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        if (folder := "/".join(parts[:length])) in regular:
            return folder.replace("/", ".")
    return _SUFFIX.sub("", path).replace("/", ".")
