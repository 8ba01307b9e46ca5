"""Which first-party module leads to which, and the shortest way from an entry point. Build process."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from boundary.findings import Hop
from boundary.references import Certainty, Reference

MOST_CHAINS = 100
_MOST_STEPS = 3_000


@dataclass(frozen=True, slots=True)
class Root:
    """A module that something outside Python starts, and the line that does."""

    module: str
    hop: Hop


class ImportGraph:
    """First-party modules and the references between them; importing a module also runs its parents' ``__init__``."""

    def __init__(self, roots: Iterable[Root]) -> None:
        self._roots = {root.module: root.hop for root in roots}
        self._edges: dict[str, dict[str, Reference]] = defaultdict(dict)
        self._walks: dict[bool, dict[str, str | None]] = {}

    def add(self, reference: Reference, targets: Iterable[str]) -> None:
        """Record that the reference's line runs each of ``targets``; the most certain line stands for an edge."""
        for target in targets:
            known = self._edges[reference.spot.module].get(target)
            if target != reference.spot.module and (known is None or _strength(reference) < _strength(known)):
                self._edges[reference.spot.module][target] = reference

    def chain_to(self, module: str) -> tuple[Hop, ...] | None:
        """The shortest way from an entry point to ``module``: running code if possible, else through typing blocks."""
        for type_only in (False, True):
            parents = self._walk(type_only)
            if module in parents:
                return self._unwound(module, parents)
        return None

    def reached(self) -> frozenset[str]:
        """Every module that an entry point leads to, typing blocks included."""
        return frozenset(self._walk(True))

    def _walk(self, type_only: bool) -> dict[str, str | None]:
        """Each module reached and the one it is reached from; the graph is complete when this is first asked."""
        if type_only not in self._walks:
            self._walks[type_only] = self._walked(type_only)
        return self._walks[type_only]

    def _walked(self, type_only: bool) -> dict[str, str | None]:
        parents: dict[str, str | None] = dict.fromkeys(sorted(self._roots), None)
        queue = deque(parents)
        while queue:
            module = queue.popleft()
            for target, reference in sorted(self._edges.get(module, {}).items(), key=lambda edge: edge[1].spot.line):
                if target not in parents and (type_only or reference.certainty is not Certainty.TYPE_ONLY):
                    parents[target] = module
                    queue.append(target)
        return parents

    def _unwound(self, module: str, parents: dict[str, str | None]) -> tuple[Hop, ...]:
        hops: list[Hop] = []
        while (parent := parents[module]) is not None:
            reference = self._edges[parent][module]
            hops.append(Hop(reference.spot.path, reference.spot.line, reference.spot.text, module))
            module = parent
        return (self._roots[module], *reversed(hops))

    def other_chains(self, importers: Iterable[str]) -> int:
        """How many simple ways lead to any of ``importers``, besides one; counting stops at ``MOST_CHAINS``."""
        goals = set(importers)
        useful = self._leading_to(goals)
        found = steps = 0
        stack = [(root, frozenset({root})) for root in self._roots if root in useful]
        while stack and found < MOST_CHAINS and steps < _MOST_STEPS:
            module, seen = stack.pop()
            steps += 1
            found += module in goals
            stack += [(after, seen | {after}) for after in self._edges.get(module, {}) if after in useful - seen]
        return max(found - 1, 0)

    def _leading_to(self, goals: set[str]) -> set[str]:
        backwards: dict[str, set[str]] = defaultdict(set)
        for module, targets in self._edges.items():
            for target in targets:
                backwards[target].add(module)
        useful, queue = set(goals), list(goals)
        while queue:
            before = backwards[queue.pop()] - useful
            useful |= before
            queue += before
        return useful


def _strength(reference: Reference) -> tuple[int, int]:
    order = (Certainty.RUNTIME, Certainty.DYNAMIC, Certainty.GUARDED, Certainty.TYPE_ONLY)
    return (order.index(reference.certainty), reference.spot.line)
