"""The JSON document a boundary check reads: one image, its closure and its neighbours. Build process.

Version 1 (camelCase keys; unknown keys are refused; paths are absolute or relative to the working directory)::

    {
      "version": 1,
      "image": "workflow-worker",
      "group": "workflow-worker",                      Poetry group of the image; default: the image's name
      "declaration": {"file": "images/workflow-worker.nix",
                      "lines": {"packages": 6}},       optional: line of each attribute, for the report
      "pyproject": {"file": "pyproject.toml",
                    "lines": {"main": 9}},             optional: line of each group's table
      "sourceRoot": "/nix/store/…-source/src",         may hold more or less than the image's packages
      "sourcePrefix": "src",                           how sourceRoot is written in the report; default "src"
      "firstParty": ["workflow_runtime.core", …],      packages of the image (each with its parents' __init__)
      "knownFirstParty": {"workflow_runtime.bootstrap": ["workflow-server"], …},   every package -> its images
      "forbidden": ["workflow_runtime.bootstrap"],     may never be declared by this image
      "layers": [["workflow_worker"], ["workflow_runtime.core"]],   optional, highest first
      "distributions": [{"name": "pydantic", "version": "2.14.3", "groups": ["main"], "direct": true,
                         "topLevel": ["pydantic"]}],   the third-party closure; topLevel is read from the
                                                       wheel's RECORD when absent
      "knownDistributions": {"openai": {"groups": ["workflow-server"], "version": "3.54.0",
                                        "topLevel": ["openai"]}},    outside the closure; keys but groups optional
      "sitePackages": ["/nix/store/…"],                a directory or a list of them; absent: no third-party code
      "entryPoints": [{"kind": "command", "value": ["python", "-m", "workflow_worker"],
                       "file": "images/workflow-worker.nix", "line": 9}],   or "value": "pkg.mod:attr"
      "workflowModules": ["workflow_worker.authored_run", "workflow_runtime.core"],  run inside workflow code
      "cleanImports": ["workflow_runtime"],            packages whose import may have no effect; default: firstParty
      "interpreter": ["…/python3.13"]                  optional: command that starts the image's own Python;
                                                       default: the one that runs this program
    }
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

VERSION: Final = 1


class ManifestError(Exception):
    """The manifest cannot be used; the message is one line which names the file and the key."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"boundary: {path}: {problem}")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaring file as the reader knows it, with the line of each attribute where it is known."""

    file: str
    lines: Mapping[str, int]

    def at(self, attribute: str) -> str:
        """``file:line`` of the attribute, or only the file."""
        line = self.lines.get(attribute)
        return f"{self.file}:{line}" if line else self.file


@dataclass(frozen=True, slots=True)
class Distribution:
    """A third-party distribution of the closure, or one that only other images have."""

    name: str
    version: str | None
    groups: tuple[str, ...]
    direct: bool
    top_level: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Something outside Python that starts first-party code: a command line or a ``module:attribute``."""

    kind: str
    value: tuple[str, ...] | str
    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image to check; the module docstring gives every field."""

    image: str
    group: str
    declaration: Declaration
    pyproject: Declaration
    source_root: Path
    source_prefix: str
    first_party: tuple[str, ...]
    known_first_party: Mapping[str, tuple[str, ...]]
    forbidden: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]
    distributions: tuple[Distribution, ...]
    known_distributions: tuple[Distribution, ...]
    site_packages: tuple[Path, ...]
    entry_points: tuple[EntryPoint, ...]
    workflow_modules: tuple[str, ...]
    clean_imports: tuple[str, ...]
    interpreter: tuple[str, ...] | None
    document: str
    """The whole manifest as it was read, in one canonical text."""


class _Fields:
    """Typed access to one JSON object; every failure names the key, and so does a key that nobody asked for."""

    def __init__(self, source: str, where: str, value: object) -> None:
        if not isinstance(value, dict):
            raise ManifestError(source, f"{where or 'the document'} must be an object, got {type(value).__name__}")
        self._source, self._where, self._value = source, where, value
        self._asked: set[str] = set()

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def get(self, key: str) -> Any:
        self._asked.add(key)
        return self._value.get(key)

    def fail(self, key: str, expected: str) -> ManifestError:
        found = json.dumps(self._value[key])[:60] if key in self._value else "nothing"
        return ManifestError(self._source, f"{self._name(key)} must be {expected}, got {found}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value:
            raise self.fail(key, "a non-empty string")
        return value

    def optional_text(self, key: str) -> str | None:
        return None if self.get(key) is None else self.text(key)

    def line(self, key: str) -> int | None:
        value = self.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise self.fail(key, "a line number from 1")
        return value

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if not isinstance(value, bool):
            raise self.fail(key, "true or false")
        return value

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        value = self.get(key)
        if value is None and default is not None:
            return tuple(default)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.fail(key, "a list of non-empty strings")
        return tuple(value)

    def items(self, key: str) -> list["_Fields"]:
        value = self.get(key)
        if not isinstance(value, list | None):
            raise self.fail(key, "a list")
        return [_Fields(self._source, f"{self._name(key)}[{index}]", item) for index, item in enumerate(value or [])]

    def entries(self, key: str) -> dict[str, object]:
        value = self.get(key)
        if not isinstance(value, dict | None):
            raise self.fail(key, "an object")
        return dict(value or {})

    def child(self, key: str) -> "_Fields":
        return _Fields(self._source, self._name(key), self.get(key) or {})

    def end(self) -> None:
        unknown = sorted(self._value.keys() - self._asked)
        if unknown:
            raise ManifestError(
                self._source, f"unknown key {self._name(unknown[0])!r}; known: {', '.join(sorted(self._asked))}"
            )


def load_manifest(path: str) -> Manifest:
    """Read and verify one manifest. Raises ManifestError, always with a single line."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ManifestError(path, f"is not JSON: {error}") from error
    return parse_manifest(document, path)


def parse_manifest(document: object, source: str = "manifest") -> Manifest:
    """The manifest in a decoded document. Raises ManifestError."""
    fields = _Fields(source, "", document)
    if fields.get("version") != VERSION:
        raise fields.fail("version", f"{VERSION}, the version this program reads")
    image = fields.text("image")
    first_party = fields.texts("firstParty")
    manifest = Manifest(
        image=image,
        group=fields.text("group", image),
        declaration=_declaration(fields.child("declaration"), f"images/{image}.nix"),
        pyproject=_declaration(fields.child("pyproject"), "pyproject.toml"),
        source_root=_directory(source, "sourceRoot", fields.text("sourceRoot")),
        source_prefix=fields.text("sourcePrefix", "src").rstrip("/"),
        first_party=first_party,
        known_first_party=_known_first_party(fields),
        forbidden=fields.texts("forbidden", ()),
        layers=_layers(fields),
        distributions=tuple(_distribution(item) for item in fields.items("distributions")),
        known_distributions=_known_distributions(fields, source),
        site_packages=_site_packages(fields, source),
        entry_points=tuple(_entry_point(item, f"images/{image}.nix") for item in fields.items("entryPoints")),
        workflow_modules=fields.texts("workflowModules", ()),
        clean_imports=fields.texts("cleanImports", first_party),
        interpreter=fields.texts("interpreter", ()) or None,
        document=json.dumps(document, sort_keys=True),
    )
    fields.end()
    return manifest


def _directory(source: str, key: str, value: str) -> Path:
    path = Path(value).absolute()
    if not path.is_dir():
        raise ManifestError(source, f"{key} {value!r} is not a directory")
    return path


def _declaration(fields: _Fields, default: str) -> Declaration:
    lines = {key: value for key, value in fields.entries("lines").items() if isinstance(value, int)}
    declaration = Declaration(fields.text("file", default), lines)
    fields.end()
    return declaration


def _known_first_party(fields: _Fields) -> dict[str, tuple[str, ...]]:
    result: dict[str, tuple[str, ...]] = {}
    for package, images in fields.entries("knownFirstParty").items():
        if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
            raise fields.fail("knownFirstParty", "an object of package -> list of image names")
        result[package] = tuple(images)
    return result


def _layers(fields: _Fields) -> tuple[tuple[str, ...], ...]:
    layers = fields.get("layers")
    if layers is None:
        return ()
    if not isinstance(layers, list) or not all(
        isinstance(layer, list) and all(isinstance(item, str) for item in layer) for layer in layers
    ):
        raise fields.fail("layers", "a list of lists of packages, highest layer first")
    return tuple(tuple(layer) for layer in layers)


def _distribution(fields: _Fields) -> Distribution:
    distribution = Distribution(
        name=fields.text("name"),
        version=fields.optional_text("version"),
        groups=fields.texts("groups", ()),
        direct=fields.flag("direct"),
        top_level=None if fields.get("topLevel") is None else fields.texts("topLevel"),
    )
    fields.end()
    return distribution


def _known_distributions(fields: _Fields, source: str) -> tuple[Distribution, ...]:
    known = []
    for name, value in fields.entries("knownDistributions").items():
        item = _Fields(source, f"knownDistributions.{name}", value)
        top_level = None if item.get("topLevel") is None else item.texts("topLevel")
        known.append(Distribution(name, item.optional_text("version"), item.texts("groups", ()), False, top_level))
        item.end()
    return tuple(known)


def _site_packages(fields: _Fields, source: str) -> tuple[Path, ...]:
    value = fields.get("sitePackages")
    if value is None:
        return ()
    directories = (value,) if isinstance(value, str) else fields.texts("sitePackages")
    return tuple(_directory(source, "sitePackages", directory) for directory in directories)


def _entry_point(fields: _Fields, default_file: str) -> EntryPoint:
    value = fields.get("value")
    entry = EntryPoint(
        kind=fields.text("kind"),
        value=fields.texts("value") if isinstance(value, list) else fields.text("value"),
        file=fields.text("file", default_file),
        line=fields.line("line"),
    )
    fields.end()
    return entry
