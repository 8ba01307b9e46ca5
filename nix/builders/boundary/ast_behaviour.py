"""Uses of clocks, chance, I/O, threads and the environment, and calls between our functions. Build process."""

import ast
from dataclasses import dataclass
from typing import Final

from boundary.ast_scopes import Scope
from boundary.ast_walk import Here, Role, Visitor
from boundary.behaviour import IMPURE_METHODS, nondeterministic
from boundary.references import Spot
from boundary.values import Instance, Ref

_SEEDED: Final = frozenset({"random.Random"})
_GIVEN_TIME: Final = frozenset({"time.gmtime", "time.strftime", "time.asctime"})


@dataclass(frozen=True, slots=True)
class Use:
    """A line of ``function`` (its full name, or the module's) that reaches ``what``."""

    spot: Spot
    function: str
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class CallEdge:
    """A line of ``caller`` that calls ``callee``, both by full name."""

    spot: Spot
    caller: str
    callee: str


class BehaviourVisitor(Visitor):
    """Collects uses and calls; which of them matter is decided from the workflow modules on."""

    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.calls: list[CallEdge] = []
        self._harmless: set[ast.expr] = set()

    def call(self, node: ast.Call, here: Here) -> frozenset[ast.expr]:
        """Note the first-party functions a call may run, and calls whose arguments make them harmless or not."""
        functions = here.evaluator.value(node.func, here.scope)
        self._by_name(node, here)
        for value in functions.values:
            if isinstance(value, Ref):
                self._named(value.name, node, here)
            elif isinstance(value, Instance):
                self._edge(f"{value.of}.__call__", node, here)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        given = method == "astimezone" and bool(node.args or node.keywords)
        if method in IMPURE_METHODS and not functions.refs() and not given:
            self._use(node, f"….{method}", IMPURE_METHODS[method], here)
        return frozenset()

    def _by_name(self, node: ast.Call, here: Here) -> None:
        """``getattr(time, "time")``"""
        for name in here.evaluator.value(node, here.scope).refs():
            if what := nondeterministic(name):
                self._use(node, name, what, here)

    def _named(self, name: str, node: ast.Call, here: Here) -> None:
        arguments = bool(node.args or node.keywords)
        if name in _SEEDED and not arguments:
            self._use(node, f"{name}() without a seed", "chance", here)
        if name in _GIVEN_TIME and len(node.args) > (name == "time.strftime"):
            self._harmless.add(node.func)
        self._edge(name, node, here)

    def _edge(self, name: str, node: ast.Call, here: Here) -> None:
        scope = here.evaluator.definition(name)
        if scope is None:
            return
        names = [name]
        if scope.kind == "class":
            names = [
                f"{name}.{method}" for method in ("__new__", "__init__", "__post_init__") if method in scope.children
            ]
        self.calls += [CallEdge(here.spot(node), function_of(here.scope), callee) for callee in names]

    def name(self, node: ast.Name | ast.Attribute, role: Role, here: Here) -> None:
        """A name that stands for something workflow code may not reach."""
        if role in (Role.STORE, Role.ANNOTATION) or node in self._harmless:
            return
        for name in here.evaluator.value(node, here.scope).refs():
            what = nondeterministic(name)
            if what is not None:
                self._use(node, name, what, here)
                if isinstance(node, ast.Attribute):
                    self._harmless.add(node.value)
                return

    def _use(self, node: ast.expr, name: str, what: str, here: Here) -> None:
        self.uses.append(Use(here.spot(node), function_of(here.scope), name.removeprefix("builtins."), what))


def function_of(scope: Scope) -> str:
    """The full name of the named function or class around a scope, or of its module."""
    while scope.qualified.endswith(">") and scope.parent is not None:
        scope = scope.parent
    return scope.qualified
