"""One walk over every expression of a module, telling visitors what stands where and in which role. Build process."""

import ast
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from typing import Any, Final

from boundary.ast_evaluate import Evaluator
from boundary.ast_nodes import annotations_of, expressions, type_bounds
from boundary.ast_scopes import Scope, Scopes
from boundary.ast_sites import Site
from boundary.references import Spot
from boundary.sources import Module


class Role(Enum):
    """What an expression is used for."""

    VALUE = auto()
    CALLEE = auto()
    BASE = auto()
    ALIAS = auto()
    STORE = auto()
    ANNOTATION = auto()


class Here:
    """Where the walk stands: module, statement, scope; gives the Spot of a node."""

    __slots__ = ("evaluator", "line_offset", "module", "scope", "site")

    def __init__(self, module: Module, site: Site, scope: Scope, evaluator: Evaluator) -> None:
        self.module, self.site, self.scope, self.evaluator = module, site, scope, evaluator

    def within(self, scope: Scope) -> "Here":
        return Here(self.module, self.site, scope, self.evaluator)

    def spot(self, node: ast.expr) -> Spot:
        """The node's place; its end is the statement's when that statement holds no others."""
        statement = self.site.statement
        simple = not hasattr(statement, "body")
        end = (statement if simple else node).end_lineno or node.lineno
        text = self.module.source_line(node.lineno)
        return Spot(self.module.name, self.module.display, node.lineno, end, text, self.site.context)


class Visitor:
    """What a walk reports to; a subclass overrides what it wants to hear."""

    def call(self, node: ast.Call, here: Here) -> frozenset[ast.expr]:
        """A call; answers with the arguments it has accounted for."""
        return frozenset()

    def name(self, node: ast.Name | ast.Attribute, role: Role, here: Here) -> None:
        """A name or attribute."""

    def subscript(self, node: ast.Subscript, here: Here) -> None:
        """A look-up by key or index."""

    def text(self, node: ast.expr, role: Role, here: Here) -> None:
        """The outermost expression that makes a string."""

    def sequence(self, elements: Sequence[ast.expr], node: ast.expr, here: Here) -> None:
        """A list or tuple, or the positional arguments of a call."""


class Walk:
    """Goes over the expressions of one statement after another, for all visitors at once."""

    def __init__(self, module: Module, scopes: Scopes, evaluator: Evaluator, visitors: Sequence[Visitor]) -> None:
        self._module, self._scopes, self._evaluator, self._visitors = module, scopes, evaluator, visitors

    def statement(self, site: Site) -> None:
        """Visit the expressions that the statement itself holds."""
        scope = self._scopes.of(site.owners[-1]) if site.owners else self._scopes.module
        here = Here(self._module, site, scope, self._evaluator)
        for node, role in _own_expressions(site.statement):
            self._expression(node, role, here)

    def _expression(self, node: ast.expr, role: Role, here: Here) -> None:
        visit = _VISITED.get(type(node), Walk._other)
        visit(self, node, role, here)

    def _attribute(self, node: ast.Attribute, role: Role, here: Here) -> None:
        self._name(node, role, here)
        self._expression(node.value, Role.ANNOTATION if role is Role.ANNOTATION else Role.BASE, here)

    def _lambda(self, node: ast.Lambda, role: Role, here: Here) -> None:
        self._expression(node.body, Role.VALUE, here.within(self._scopes.of(node)))
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self._expression(default, Role.VALUE, here)

    def _walrus(self, node: ast.NamedExpr, role: Role, here: Here) -> None:
        self._expression(node.value, Role.ALIAS if role is Role.VALUE else role, here)

    def _subscript(self, node: ast.Subscript, role: Role, here: Here) -> None:
        for visitor in self._visitors:
            visitor.subscript(node, here)
        self._expression(node.value, Role.STORE if role is Role.STORE else Role.BASE, here)
        self._expression(node.slice, Role.ANNOTATION if role is Role.ANNOTATION else Role.VALUE, here)

    def _choice(self, node: ast.IfExp, role: Role, here: Here) -> None:
        self._expression(node.test, Role.BASE, here)
        self._expression(node.body, role, here)
        self._expression(node.orelse, role, here)

    def _comparison(self, node: ast.Compare, role: Role, here: Here) -> None:
        for operand in (node.left, *node.comparators):
            self._expression(operand, Role.BASE, here)

    def _other(self, node: ast.expr, role: Role, here: Here) -> None:
        if isinstance(node, ast.JoinedStr | ast.BinOp) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            for visitor in self._visitors:
                visitor.text(node, role, here)
        if isinstance(node, ast.JoinedStr | ast.BinOp) and here.evaluator.value(node, here.scope).only_constants():
            return
        if isinstance(node, ast.List | ast.Tuple):
            for visitor in self._visitors:
                visitor.sequence(node.elts, node, here)
        inner = role if role in (Role.ANNOTATION, Role.STORE) else Role.VALUE
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and not (
                isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)
            ):
                self._expression(child, inner, here)

    def _call(self, node: ast.Call, role: Role, here: Here) -> None:
        accounted: set[ast.expr] = set()
        for visitor in self._visitors:
            accounted |= visitor.call(node, here)
            visitor.sequence(node.args, node, here)
        self._expression(node.func, Role.CALLEE, here)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self._expression(argument, Role.BASE if argument in accounted else Role.VALUE, here)

    def _name(self, node: ast.Name | ast.Attribute, role: Role, here: Here) -> None:
        for visitor in self._visitors:
            visitor.name(node, role, here)

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, role: Role, here: Here
    ) -> None:
        inner = here.within(self._scopes.of(node))
        for index, generator in enumerate(node.generators):
            self._expression(generator.iter, Role.VALUE, inner if index else here)
            for condition in generator.ifs:
                self._expression(condition, Role.VALUE, inner)
        for value in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self._expression(value, Role.VALUE, inner)


_VISITED: Final[dict[type[ast.expr], Callable[[Walk, Any, Role, Here], None]]] = {
    ast.Name: Walk._name,
    ast.Attribute: Walk._attribute,
    ast.Call: Walk._call,
    ast.Subscript: Walk._subscript,
    ast.Lambda: Walk._lambda,
    ast.NamedExpr: Walk._walrus,
    ast.IfExp: Walk._choice,
    ast.Compare: Walk._comparison,
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), Walk._comprehension),
}


def _own_expressions(statement: ast.stmt) -> Iterator[tuple[ast.expr, Role]]:
    match statement:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _of_function(statement)
        case ast.ClassDef():
            for node in (*statement.decorator_list, *statement.bases, *(word.value for word in statement.keywords)):
                yield node, Role.VALUE
            yield from ((node, Role.ANNOTATION) for node in type_bounds(statement))
        case ast.Assign(targets=targets, value=value):
            alias = all(isinstance(target, ast.Name) for target in targets)
            yield value, Role.ALIAS if alias else Role.VALUE
            yield from ((target, Role.STORE) for target in targets if not isinstance(target, ast.Name))
        case ast.AnnAssign(target=target, annotation=annotation, value=value):
            yield annotation, Role.ANNOTATION
            if value is not None:
                yield value, Role.ALIAS if isinstance(target, ast.Name) else Role.VALUE
            if not isinstance(target, ast.Name):
                yield target, Role.STORE
        case ast.If(test=test) | ast.While(test=test):
            yield test, Role.BASE
        case _:
            yield from _of_any(statement)


def _of_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[ast.expr, Role]]:
    for expression in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
        yield expression, Role.VALUE
    for annotation in annotations_of(node):
        yield annotation, Role.ANNOTATION


def _of_any(statement: ast.stmt) -> Iterator[tuple[ast.expr, Role]]:
    """Direct expressions of any other statement, with those of its with-items and match guards."""
    for name, value in ast.iter_fields(statement):
        for item in value if isinstance(value, list) else [value]:
            stored = name in ("target", "targets", "name")
            if isinstance(item, ast.expr) and not (stored and isinstance(item, ast.Name)):
                yield item, Role.STORE if stored else Role.VALUE
            elif isinstance(item, ast.withitem):
                yield item.context_expr, Role.VALUE
            elif isinstance(item, ast.excepthandler) and isinstance(item, ast.ExceptHandler) and item.type:
                yield item.type, Role.VALUE
            elif isinstance(item, ast.match_case):
                yield from ((node, Role.VALUE) for node in _of_case(item))
            elif isinstance(item, ast.type_param):
                yield from ((node, Role.ANNOTATION) for node in expressions(item))


def _of_case(case: ast.match_case) -> Iterator[ast.expr]:
    if case.guard is not None:
        yield case.guard
    for node in ast.walk(case.pattern):
        if isinstance(node, ast.MatchValue):
            yield node.value
        elif isinstance(node, ast.MatchClass):
            yield node.cls
