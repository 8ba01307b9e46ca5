"""To whom a module belongs, seen from one image. Build process."""

from dataclasses import dataclass
from enum import StrEnum, auto

from boundary.distributions import ImportNames, is_standard
from boundary.manifest import Distribution, Manifest
from boundary.sources import Module, module_exists, parents


class Place(StrEnum):
    """Where a module stands relative to the image's closure."""

    STANDARD = auto()
    OWN = auto()
    DECLARED = auto()
    TRANSITIVE = auto()
    FORBIDDEN = auto()
    FOREIGN_PACKAGE = auto()
    FOREIGN_DISTRIBUTION = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """A resolved module: its full name, its place, and its owner (a first-party package or a distribution)."""

    name: str
    place: Place
    owner: str
    distribution: Distribution | None = None

    @property
    def is_first_party(self) -> bool:
        return self.place in (Place.OWN, Place.FORBIDDEN, Place.FOREIGN_PACKAGE)


class Closure:
    """The image's closure: its modules, its distributions, and what is known of everything else."""

    def __init__(self, manifest: Manifest, modules: dict[str, Module]) -> None:
        self.manifest = manifest
        self.modules = modules
        self.names = ImportNames(manifest)
        self._packages = (*manifest.first_party, *manifest.known_first_party, *manifest.forbidden)
        self.first_party_tops = frozenset(package.partition(".")[0] for package in self._packages)
        self._namespaces = frozenset(parent for name in modules for parent in parents(name)) - modules.keys()
        self._cache: dict[tuple[str, ...], Target] = {}

    def is_first_party(self, name: str) -> bool:
        """Whether the name lies in one of the project's own packages, in the closure or not."""
        return name.partition(".")[0] in self.first_party_tops

    def resolve(self, *candidates: str) -> Target:
        """The target of a reference, given the names it may mean, most specific first."""
        if candidates not in self._cache:
            self._cache[candidates] = self._resolve(candidates)
        return self._cache[candidates]

    def on_disk(self, name: str) -> bool:
        """Whether a wheel of the closure holds a module of that name."""
        path = name.replace(".", "/")
        return any((site / f"{path}.py").is_file() or (site / path).is_dir() for site in self.manifest.site_packages)

    def absent(self, name: str) -> Target:
        """The target of a reference to something that is not there."""
        return Target(name, Place.UNKNOWN, name)

    def _resolve(self, candidates: tuple[str, ...]) -> Target:
        if is_standard(candidates[-1]):
            return Target(candidates[-1], Place.STANDARD, "Python")
        if self.is_first_party(candidates[-1]):
            return self._first_party(candidates)
        return self._third_party(candidates)

    def _first_party(self, candidates: tuple[str, ...]) -> Target:
        if not self._owns(candidates[-1]) and self._is_outside(candidates[-1]):
            return self._foreign(candidates[-1])
        for name in candidates:
            if self._owns(name):
                return Target(name, Place.OWN, self.package_of(name, self.manifest.first_party) or name)
            if self._is_outside(name):
                return self._foreign(name)
        return self.absent(candidates[-1])

    def _owns(self, name: str) -> bool:
        return name in self.modules or name in self._namespaces

    def _is_outside(self, name: str) -> bool:
        """Whether the name is that of a package outside the closure, or of a file that no image declares."""
        package = self.package_of(name, self._packages)
        if package is None:
            return module_exists(self.manifest.source_root, name)
        return package not in self.manifest.first_party

    def _foreign(self, name: str) -> Target:
        if package := self.package_of(name, self.manifest.forbidden):
            return Target(name, Place.FORBIDDEN, package)
        package = self.package_of(name, tuple(self.manifest.known_first_party))
        return Target(name, Place.FOREIGN_PACKAGE, package or name)

    def _third_party(self, candidates: tuple[str, ...]) -> Target:
        for name in reversed(candidates):
            if distribution := self.names.inside(name):
                place = Place.DECLARED if distribution.direct else Place.TRANSITIVE
                return Target(name, place, distribution.name, distribution)
        for name in reversed(candidates):
            if distribution := self.names.outside(name):
                return Target(name, Place.FOREIGN_DISTRIBUTION, distribution.name, distribution)
        return Target(candidates[-1], Place.UNKNOWN, candidates[-1].partition(".")[0])

    @staticmethod
    def package_of(name: str, packages: tuple[str, ...]) -> str | None:
        """The longest of ``packages`` that contains the module."""
        return max((package for package in packages if within(name, package)), key=len, default=None)


def within(name: str, package: str) -> bool:
    """Whether the module is the package or lies in it."""
    return name == package or name.startswith(package + ".")
