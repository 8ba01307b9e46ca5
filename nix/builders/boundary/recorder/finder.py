"""The recorder, first on ``sys.meta_path``: notes who asks for what, and keeps the closure. Recorder process.

It answers for the path finder, so that what is outside the closure is not found, exactly as in the image, even where
the machine has it. An import statement for a module that is loaded already asks nobody: that is the AST witness's part;
calls of ``import_module`` and ``__import__`` are noted all the same.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import DistributionFinder, MetadataPathFinder, PathDistribution
from types import CodeType, ModuleType
from typing import Any, Final

from boundary.recorder.attribution import Attribution, Line

_STANDARD: Final = sys.stdlib_module_names


class Recorder:
    """A finder over ``allowed`` packages. ``on_code`` gets the code of each first-party module before it runs,
    ``on_module`` each module of ``watched`` after it ran."""

    def __init__(
        self,
        attribution: Attribution,
        first_party: "Names",
        third_party: "Names",
        first_party_tops: Iterable[str],
        on_code: Callable[[CodeType], None],
        on_module: Callable[[ModuleType], None],
        watched: Iterable[str],
    ) -> None:
        self.seen: dict[tuple[str, str, int], tuple[str, Line]] = {}
        self._attribution = attribution
        self._first_party, self._third_party = first_party, third_party
        self._tops = frozenset(first_party_tops)
        self._on_code, self._on_module = on_code, on_module
        self._watched = frozenset(watched)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Part of the finder protocol: note the request; find the module unless it is outside the closure."""
        ours = name.partition(".")[0] in self._tops
        if not ours and _is_standard(name):
            return PathFinder.find_spec(name, path, target)
        self.note(name)
        names = self._first_party if ours else self._third_party
        if not names.allow(name):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            self._hook(spec.loader, name, ours)
        return spec

    def note(self, name: str) -> None:
        """Remember who asks for a module, loaded or not; what a wheel asks for counts only when it is ours."""
        ours = name.partition(".")[0] in self._tops
        if not ours and _is_standard(name):
            return
        line = self._attribution.importer()
        if line is not None and (ours or not line.third_party):
            self.seen.setdefault((name, line.path, line.line), (name, line))

    def _hook(self, loader: Any, name: str, ours: bool) -> None:
        if ours and hasattr(loader, "get_code"):
            read = loader.get_code

            def get_code(fullname: str) -> CodeType | None:
                code: CodeType | None = read(fullname)
                if code is not None:
                    self._on_code(code)
                return code

            loader.get_code = get_code
        elif name in self._watched:
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                self._on_module(module)

            loader.exec_module = exec_module

    @staticmethod
    def invalidate_caches() -> None:
        """Part of the finder protocol."""
        PathFinder.invalidate_caches()

    @staticmethod
    def find_distributions(context: DistributionFinder.Context) -> Iterable[PathDistribution]:
        """Part of the finder protocol, for ``importlib.metadata``."""
        return MetadataPathFinder.find_distributions(context)


def _is_standard(name: str) -> bool:
    top = name.partition(".")[0]
    return top in _STANDARD or top.startswith("_sysconfigdata")


class Names:
    """Import names with everything inside them and the packages around them."""

    def __init__(self, names: Iterable[str], exact: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self._around = frozenset(exact) | {parent for name in self._names for parent in _around(name)}

    def allow(self, name: str) -> bool:
        """Whether the closure has the module; names that are not identifiers belong to a wheel's own machinery."""
        if name in self._around or not name.replace(".", "").isidentifier():
            return True
        return any(part in self._names for part in (name, *_around(name)))


def _around(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]
