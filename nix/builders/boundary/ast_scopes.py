"""Who binds which name where: the scopes of a module and every binding in them. Build process.

Scopes follow the language: functions, lambdas and comprehensions see the functions around them and the module, not
class bodies; ``global`` and ``nonlocal`` bind elsewhere. Bindings have no order: a name is worth all it is ever given.
"""

import ast
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from boundary.ast_imports import absolute_target
from boundary.ast_nodes import annotations_of, children, expressions
from boundary.sources import Module
from boundary.words import words

Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_MUTATORS: Final = words(
    "append extend insert add update setdefault pop popitem remove discard clear sort reverse appendleft"
)


class Kind(Enum):
    """How a binding gives its value."""

    VALUE = auto()
    ELEMENT = auto()
    ADDITION = auto()
    MODULE = auto()
    DEFINITION = auto()
    RECEIVER = auto()
    OPAQUE = auto()


@dataclass(frozen=True, slots=True)
class Binding:
    """One thing a name is given: an expression, an element of one, an addition, a dotted name, or something opaque."""

    kind: Kind
    expression: ast.expr | None = None
    scope: "Scope | None" = None
    name: str = ""


@dataclass(eq=False)
class Scope:
    """A module, class, function, lambda or comprehension with its bindings. ``qualified`` is its full dotted name."""

    kind: str
    qualified: str
    parent: "Scope | None"
    module: Module
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: dict[str, "Scope"] = field(default_factory=dict)
    mutated: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    children: dict[str, "Scope"] = field(default_factory=dict)

    def bind(self, name: str, binding: Binding) -> None:
        self.elsewhere.get(name, self).bindings.setdefault(name, []).append(binding)

    def find(self, name: str) -> "Scope | None":
        """The scope that a use of ``name`` here reads; None for a builtin."""
        if name in self.elsewhere:
            return self.elsewhere[name]
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bindings and (scope is self or scope.kind != "class"):
                return scope
            scope = scope.parent
        return None

    def root(self) -> "Scope":
        """The module's own scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class Scopes:
    """The scopes of one module: ``module`` is the outermost, ``of(node)`` the one a definition or lambda opens.

    Source that is executed from a string stands in ``around``, whose names it sees.
    """

    def __init__(self, module: Module, tree: ast.Module, around: Scope | None = None) -> None:
        kind = "module" if around is None else "function"
        self.module = Scope(kind, module.name, around, module)
        self._of: dict[ast.AST, Scope] = {}
        builder = _Builder(module, self._of)
        builder.block(tree.body, self.module)
        builder.mark_mutated()
        opened = self._of.values()
        self.definitions = {scope.qualified: scope for scope in opened if not scope.qualified.endswith(">")}

    def of(self, node: ast.AST) -> Scope:
        """The scope opened by a definition, lambda or comprehension; the module's where the language opens none."""
        return self._of.get(node, self.module)


class _Builder:
    def __init__(self, module: Module, table: dict[ast.AST, Scope]) -> None:
        self._module = module
        self._table = table
        self._loops = 0
        self._changes: list[tuple[str, Scope]] = []

    def mark_mutated(self) -> None:
        """Note which names have their contents changed; only now is every binding known."""
        for name, scope in self._changes:
            (scope.find(name) or scope).mutated.add(name)

    def block(self, body: list[ast.stmt], scope: Scope) -> None:
        for statement in body:
            if isinstance(statement, ast.Global | ast.Nonlocal):
                self._rebind(statement, scope)
        for statement in body:
            self._statement(statement, scope)

    def _rebind(self, statement: ast.Global | ast.Nonlocal, scope: Scope) -> None:
        for name in statement.names:
            outer = scope.root() if isinstance(statement, ast.Global) else scope.parent and scope.parent.find(name)
            if outer is not None:
                scope.elsewhere[name] = outer

    def _statement(self, statement: ast.stmt, scope: Scope) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(statement, scope)
            case ast.ClassDef():
                self._class(statement, scope)
            case ast.Import() | ast.ImportFrom():
                self._import(statement, scope)
            case _:
                self._simple(statement, scope)
                self._blocks(statement, scope)

    def _blocks(self, statement: ast.stmt, scope: Scope) -> None:
        loops = isinstance(statement, ast.For | ast.AsyncFor | ast.While)
        self._loops += loops
        for block in ("body", "orelse", "finalbody"):
            self.block(getattr(statement, block, []), scope)
        for handler in getattr(statement, "handlers", []):
            if handler.name:
                scope.bind(handler.name, Binding(Kind.OPAQUE))
            self.block(handler.body, scope)
        for case in getattr(statement, "cases", []):
            self.block(case.body, scope)
        self._loops -= loops

    def _simple(self, statement: ast.stmt, scope: Scope) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, scope)
            case ast.AugAssign(target=target, op=op, value=value):
                self._augment(target, op, value, scope)
            case ast.For(target=target, iter=iterable) | ast.AsyncFor(target=target, iter=iterable):
                self._each(target, iterable, scope)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    self._opaque(item.optional_vars, scope)
            case ast.TypeAlias(name=name):
                self._opaque(name, scope)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._store(target, scope)
        self._inner(statement, scope)

    def _inner(self, statement: ast.AST, scope: Scope) -> None:
        """Scopes and bindings that expressions of the statement open or make."""
        for child in children(statement):
            if isinstance(child, ast.stmt | ast.excepthandler):
                continue
            if isinstance(child, ast.match_case):
                self._pattern(child.pattern, scope)
                if child.guard:
                    self._expression(child.guard, scope)
            elif isinstance(child, ast.expr):
                self._expression(child, scope)
            else:
                self._inner(child, scope)

    def _expression(self, node: ast.expr, scope: Scope) -> None:
        if isinstance(node, ast.Name | ast.Constant):
            return
        match node:
            case ast.Lambda(args=arguments, body=body):
                for default in (*arguments.defaults, *filter(None, arguments.kw_defaults)):
                    self._expression(default, scope)
                inner = self._open(node, "function", "<lambda>", scope)
                self._parameters(arguments, inner, method=False)
                self._expression(body, inner)
                return
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node, scope)
                return
            case ast.NamedExpr(target=target, value=value):
                self._assign(target, value, _binding_scope(scope))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in _MUTATORS:
                self._changes.append((name, scope))
        for child in expressions(node):
            self._expression(child, scope)

    def _comprehension(self, node: _Comprehension, scope: Scope) -> None:
        inner = self._open(node, "function", "<comprehension>", scope)
        for index, generator in enumerate(node.generators):
            self._expression(generator.iter, inner if index else scope)
            self._each(generator.target, generator.iter, inner, inner if index else scope)
            for condition in generator.ifs:
                self._expression(condition, inner)
        values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for value in values:
            self._expression(value, inner)

    def _open(self, node: ast.AST, kind: str, name: str, scope: Scope) -> Scope:
        inner = Scope(kind, f"{scope.qualified}.{name}", scope, self._module)
        self._table[node] = inner
        return inner

    def _function(self, node: Function, scope: Scope) -> None:
        for expression in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self._expression(expression, scope)
        for annotation in annotations_of(node):
            self._expression(annotation, scope)
        inner = self._open(node, "function", node.name, scope)
        plain = not any(isinstance(name, ast.Name) and name.id == "staticmethod" for name in node.decorator_list)
        self._parameters(node.args, inner, method=scope.kind == "class" and plain)
        self._define(node, scope, inner)
        loops, self._loops = self._loops, 0
        self.block(node.body, inner)
        self._loops = loops

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        for expression in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self._expression(expression, scope)
        inner = self._open(node, "class", node.name, scope)
        self._define(node, scope, inner)
        self.block(node.body, inner)

    def _define(self, node: Function | ast.ClassDef, scope: Scope, inner: Scope) -> None:
        scope.children[node.name] = inner
        scope.bind(node.name, Binding(Kind.DEFINITION, None, inner, inner.qualified))

    def _parameters(self, arguments: ast.arguments, scope: Scope, *, method: bool) -> None:
        names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        others = (*arguments.kwonlyargs, *filter(None, (arguments.vararg, arguments.kwarg)))
        for index, name in enumerate([*names, *(argument.arg for argument in others)]):
            receiver = method and index == 0 and bool(names) and scope.parent is not None
            owner = scope.parent.qualified if receiver and scope.parent else ""
            scope.bind(name, Binding(Kind.RECEIVER if receiver else Kind.OPAQUE, name=owner))

    def _import(self, statement: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                scope.bind(alias.asname or whole, Binding(Kind.MODULE, name=whole))
            return
        target = absolute_target(self._module, statement)
        for alias in statement.names:
            if alias.name == "*":
                scope.stars.append(target)
            else:
                scope.bind(alias.asname or alias.name, Binding(Kind.MODULE, name=f"{target}.{alias.name}"))

    def _assign(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.bind(target.id, Binding(Kind.VALUE, value, scope))
        elif isinstance(target, ast.Tuple | ast.List):
            same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            starred = any(isinstance(item, ast.Starred) for item in target.elts)
            for index, item in enumerate(target.elts):
                if same and not starred and isinstance(value, ast.Tuple | ast.List):
                    self._assign(item, value.elts[index], scope)
                else:
                    self._opaque(item, scope)
        else:
            self._store(target, scope)

    def _augment(self, target: ast.expr, op: ast.operator, value: ast.expr, scope: Scope) -> None:
        if not isinstance(target, ast.Name):
            self._store(target, scope)
        elif isinstance(op, ast.Add) and not self._loops:
            scope.bind(target.id, Binding(Kind.ADDITION, value, scope))
        else:
            scope.bind(target.id, Binding(Kind.OPAQUE))

    def _each(self, target: ast.expr, iterable: ast.expr, scope: Scope, outer: Scope | None = None) -> None:
        if isinstance(target, ast.Name):
            scope.bind(target.id, Binding(Kind.ELEMENT, iterable, outer or scope))
        else:
            self._opaque(target, scope)

    def _opaque(self, target: ast.expr | None, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.bind(target.id, Binding(Kind.OPAQUE))
        elif isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self._opaque(item, scope)
        elif isinstance(target, ast.Starred):
            self._opaque(target.value, scope)
        elif target is not None:
            self._store(target, scope)

    def _store(self, target: ast.expr, scope: Scope) -> None:
        """A store into something: ``name[…] = …`` changes what the name holds."""
        if isinstance(target, ast.Subscript | ast.Attribute) and isinstance(target.value, ast.Name):
            self._changes.append((target.value.id, scope))

    def _pattern(self, pattern: ast.pattern, scope: Scope) -> None:
        for node in ast.walk(pattern):
            name = getattr(node, "name", None) or getattr(node, "rest", None)
            if isinstance(name, str):
                scope.bind(name, Binding(Kind.OPAQUE))


def _binding_scope(scope: Scope) -> Scope:
    """Where ``:=`` binds: the innermost scope that is not a comprehension."""
    while scope.qualified.endswith("<comprehension>") and scope.parent is not None:
        scope = scope.parent
    return scope
