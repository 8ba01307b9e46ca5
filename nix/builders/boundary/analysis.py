"""The AST witness: everything that the source of a set of modules says about what they load and do. Build process."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from boundary.ast_behaviour import BehaviourVisitor, CallEdge, Use
from boundary.ast_dynamic import LoadingVisitor, dynamic
from boundary.ast_evaluate import Evaluator
from boundary.ast_imports import import_references
from boundary.ast_scopes import Scopes
from boundary.ast_sites import sites
from boundary.ast_strings import StringVisitor
from boundary.ast_walk import Here, Walk
from boundary.comments import Comment, boundary_comments
from boundary.loaders import LOADING_MODULES, MODULE_IDENTITY, loader_of
from boundary.references import Certainty, Reference, Spot, Undecidable
from boundary.sources import Module

_CODE_DEPTH: Final = 3


@dataclass(slots=True)
class ModuleFacts:
    """What one module's source says."""

    references: list[Reference] = field(default_factory=list)
    undecidable: list[Undecidable] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    calls: list[CallEdge] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


class Analysis:
    """Reads modules once; ``first_party_tops`` and ``tops`` are first parts of import names (own; own and others)."""

    def __init__(self, modules: Iterable[Module], first_party_tops: frozenset[str], tops: frozenset[str]) -> None:
        self._first_party_tops, self._tops = first_party_tops, tops
        readable = {module.name: module for module in modules if isinstance(module.tree, ast.Module)}
        self._too_deep: set[str] = set()
        self._scopes = {name: self._scopes_of(module) for name, module in readable.items()}
        self._evaluator = Evaluator(self._scopes)
        self._facts = self._read_all(readable, self._evaluator)

    def facts(self, name: str) -> ModuleFacts:
        """What the module says; nothing for one that does not parse."""
        return self._facts.get(name, ModuleFacts())

    def provides(self, package: str, name: str) -> bool:
        """Whether ``from package import name`` finds something in a package that was read."""
        return package not in self._scopes or self._evaluator.binds(package, name)

    def _scopes_of(self, module: Module) -> Scopes:
        try:
            return Scopes(module, _tree(module))
        except RecursionError:
            self._too_deep.add(module.name)
            return Scopes(module, ast.Module([], []))

    def _read_all(self, modules: Mapping[str, Module], evaluator: Evaluator) -> dict[str, ModuleFacts]:
        found = {}
        for name, module in modules.items():
            facts = found[name] = ModuleFacts(comments=boundary_comments(module))
            reader = _Reader(self._first_party_tops, self._tops, facts)
            if name in self._too_deep:
                facts.undecidable.append(_too_deep(module))
                continue
            try:
                reader.read(module, self._scopes[name], evaluator)
            except RecursionError:
                facts.undecidable.append(_too_deep(module))
        return found


class _Reader:
    """Walks one module, and the code it holds in strings, into its facts."""

    def __init__(
        self, first_party_tops: frozenset[str], tops: frozenset[str], facts: ModuleFacts, depth: int = 0
    ) -> None:
        self._first_party_tops, self._tops, self._facts, self._depth = first_party_tops, tops, facts, depth

    def read(self, module: Module, scopes: Scopes, evaluator: Evaluator) -> None:
        loading = LoadingVisitor(self._first_party_tops, self._read_code)
        strings = StringVisitor(self._tops, self._first_party_tops, self._read_code)
        behaviour = BehaviourVisitor()
        walk = Walk(module, scopes, evaluator, (loading, strings, behaviour))
        for site in sites(_tree(module), module.text):
            self._facts.references += import_references(module, site)
            walk.statement(site)
        self._facts.undecidable += _identity_changes(module, scopes)
        self._facts.references += loading.references + strings.references
        self._facts.undecidable += loading.undecidable + strings.undecidable
        self._facts.uses += behaviour.uses
        self._facts.calls += behaviour.calls

    def _read_code(self, text: str, here: Here, node: ast.expr, form: str) -> None:
        """Analyse source that stands in a string; everything in it is said of the line that holds it."""
        if self._depth >= _CODE_DEPTH:
            self._facts.undecidable.append(
                Undecidable(here.spot(node), form, "code within code, too deep", dynamic(here))
            )
            return
        module = Module(here.module.name, here.module.path, here.module.display, here.module.is_package, text)
        if isinstance(module.tree, SyntaxError):
            return
        facts = ModuleFacts()
        scopes = Scopes(module, module.tree, None if form == "python -c" else here.scope)
        inner = here.evaluator.extended(scopes)
        _Reader(self._first_party_tops, self._tops, facts, self._depth + 1).read(module, scopes, inner)
        spot = here.spot(node)
        self._facts.references += [
            replace(found, spot=spot, form=f"{found.form} in {form}", certainty=dynamic(here))
            for found in facts.references
        ]
        self._facts.undecidable += [
            replace(found, spot=spot, form=f"{found.form} in {form}") for found in facts.undecidable
        ]
        self._facts.uses += [replace(found, spot=spot) for found in facts.uses]
        if form == "builtins.exec" and any(_is_loader(name, scopes, inner) for name in scopes.module.bindings):
            reason = "it defines a name for a loader, whose calls cannot be followed"
            self._facts.undecidable.append(Undecidable(spot, form, reason, dynamic(here)))


def _is_loader(name: str, scopes: Scopes, evaluator: Evaluator) -> bool:
    refs = evaluator.name(name, scopes.module).refs()
    return any(ref in LOADING_MODULES or loader_of(ref) is not None for ref in refs)


def _too_deep(module: Module) -> Undecidable:
    spot = Spot(module.name, module.display, 1, 1, module.source_line(1))
    return Undecidable(spot, "the whole module", "an expression in it is nested too deeply to read", Certainty.RUNTIME)


def _identity_changes(module: Module, scopes: Scopes) -> Iterator[Undecidable]:
    """Bindings of ``__package__`` and its like, after which relative imports mean something else."""
    for name in sorted(MODULE_IDENTITY & scopes.module.bindings.keys()):
        for binding in scopes.module.bindings[name]:
            line = binding.expression.lineno if binding.expression is not None else 1
            spot = Spot(module.name, module.display, line, line, module.source_line(line))
            yield Undecidable(spot, name, "it changes what the module's imports mean", Certainty.DYNAMIC)


def _tree(module: Module) -> ast.Module:
    assert isinstance(module.tree, ast.Module)
    return module.tree
