"""Constant propagation: what an expression of first-party code may be worth, without running it. Build process.

Follows names through assignments, loops over displays, classes, re-exports between first-party modules, string
operations and the ways to get at a function by name (``getattr``, ``vars``, ``partial``). The rest is UNKNOWN.
"""

import ast
import builtins
from collections.abc import Callable, Mapping
from typing import Any, Final

from boundary.ast_calls import called, subscripted
from boundary.ast_scopes import Binding, Kind, Scope, Scopes
from boundary.values import (
    UNKNOWN,
    Instance,
    Items,
    Namespace,
    Plain,
    Ref,
    Result,
    Table,
    Text,
    Value,
    combined,
    elements_of,
    one,
    union,
)

_DEEPEST: Final = 60


class Evaluator:
    """Values of expressions, over all modules of one source tree."""

    def __init__(self, scopes: Mapping[str, Scopes]) -> None:
        self._scopes = scopes
        self._definitions = {
            name: scope for one_module in scopes.values() for name, scope in one_module.definitions.items()
        }
        self._known: dict[ast.expr, Result] = {}
        self._names: dict[tuple[Scope, str], Result] = {}
        self._busy: set[object] = set()
        self._inline: Scopes | None = None

    def value(self, node: ast.expr, scope: Scope) -> Result:
        """All the values that ``node``, standing in ``scope``, may have."""
        if node not in self._known:
            if node in self._busy or len(self._busy) > _DEEPEST:
                return UNKNOWN
            self._busy.add(node)
            result = self._value(node, scope)
            self._busy.discard(node)
            self._known[node] = result
        return self._known[node]

    def _value(self, node: ast.expr, scope: Scope) -> Result:
        follow = _FOLLOWED.get(type(node))
        return UNKNOWN if follow is None else follow(self, node, scope)

    def _of_attribute(self, node: ast.Attribute, scope: Scope) -> Result:
        return self._each(self.value(node.value, scope), node.attr)

    def _of_subscript(self, node: ast.Subscript, scope: Scope) -> Result:
        return subscripted(self, self.value(node.value, scope), node.slice, scope)

    def _of_text(self, node: ast.JoinedStr, scope: Scope) -> Result:
        return combined((self._part(part, scope) for part in node.values), "".join)

    def _of_operation(self, node: ast.BinOp, scope: Scope) -> Result:
        return self._operation(self.value(node.left, scope), node.op, self.value(node.right, scope))

    def _of_choice(self, node: ast.IfExp, scope: Scope) -> Result:
        return union((self.value(node.body, scope), self.value(node.orelse, scope)))

    def _of_either(self, node: ast.BoolOp, scope: Scope) -> Result:
        return union(self.value(value, scope) for value in node.values)

    def _of_items(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Result:
        return one(Items(tuple(part for element in node.elts for part in self._element(element, scope))))

    def _of_table(self, node: ast.Dict, scope: Scope) -> Result:
        pairs = zip(node.keys, node.values, strict=True)
        return one(Table(tuple((self._key(key, scope), self.value(value, scope)) for key, value in pairs)))

    def _of_comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope) -> Result:
        inner = (self._inline or self._scopes[scope.module.name]).of(node)
        return one(Items((self.value(node.elt, inner),)))

    def _element(self, node: ast.expr, scope: Scope) -> tuple[Result, ...]:
        if not isinstance(node, ast.Starred):
            return (self.value(node, scope),)
        inner = self.value(node.value, scope)
        if inner.complete and len(inner.values) == 1:
            (value,) = inner.values
            if isinstance(value, Items):
                return value.elements
        return (elements_of(inner).incomplete(),)

    def _key(self, node: ast.expr | None, scope: Scope) -> str | None:
        texts = self.value(node, scope).texts() if node is not None else []
        return texts[0] if len(texts) == 1 else None

    def _part(self, node: ast.expr, scope: Scope) -> Result:
        """One piece of an f-string; a format or a conversion is followed only where it changes nothing."""
        if not isinstance(node, ast.FormattedValue):
            return self.value(node, scope)
        plain = node.format_spec is None and node.conversion in (-1, ord("s"))
        return self.value(node.value, scope) if plain else UNKNOWN

    @staticmethod
    def _operation(left: Result, op: ast.operator, right: Result) -> Result:
        if isinstance(op, ast.Add):
            joined = [
                Items((*a.elements, *b.elements))
                for a in left.values
                for b in right.values
                if isinstance(a, Items) and isinstance(b, Items)
            ]
            if joined:
                return Result(frozenset(joined), left.complete and right.complete)
            return combined((left, right), "".join)
        if isinstance(op, ast.Mod):
            return _percent(left, right)
        return UNKNOWN

    def name(self, name: str, scope: Scope) -> Result:
        """All the values of a name used in ``scope``."""
        holder = scope.find(name)
        if holder is None or name not in holder.bindings:
            return self._unbound(name, scope.root())
        key = (holder, name)
        if key not in self._names:
            if key in self._busy:
                return UNKNOWN
            self._busy.add(key)
            self._names[key] = self._bound(name, holder)
            self._busy.discard(key)
        return self._names[key]

    def _bound(self, name: str, holder: Scope) -> Result:
        bindings = holder.bindings[name]
        result = union(self._binding(binding) for binding in bindings if binding.kind is not Kind.ADDITION)
        for binding in bindings:
            if binding.kind is Kind.ADDITION and binding.expression is not None and binding.scope is not None:
                added = self._operation(result, ast.Add(), self.value(binding.expression, binding.scope))
                result = union((result, added))
        return _opened(result) if name in holder.mutated else result

    def _binding(self, binding: Binding) -> Result:
        match binding.kind:
            case Kind.MODULE:
                return self.resolve(binding.name)
            case Kind.DEFINITION:
                return one(Ref(binding.name))
            case Kind.RECEIVER:
                return one(Instance(binding.name))
        if binding.expression is None or binding.scope is None:
            return UNKNOWN
        result = self.value(binding.expression, binding.scope)
        return elements_of(result) if binding.kind is Kind.ELEMENT else result

    def _unbound(self, name: str, module: Scope) -> Result:
        special = {"__name__": Text(module.module.name), "__package__": Text(module.module.package)}
        if name in special:
            return one(special[name])
        if name == "__builtins__":
            return one(Ref("builtins"))
        starred = [self.attribute(star, name) for star in module.stars if self._exports(star, name)]
        if hasattr(builtins, name) or not starred:
            starred.append(one(Ref(f"builtins.{name}")))
        return union(starred)

    def _exports(self, star: str, name: str) -> bool:
        known = self._scopes.get(star)
        return known is None or name in known.module.bindings or bool(known.module.stars)

    def resolve(self, dotted: str) -> Result:
        """What an absolute dotted name stands for, through re-exports of first-party modules."""
        head, _, attribute = dotted.rpartition(".")
        if dotted in self._scopes or head not in self._scopes:
            return one(Ref(dotted))
        return self.attribute(head, attribute)

    def attribute(self, owner: str, attribute: str) -> Result:
        """What ``owner.attribute`` stands for; ``owner`` is a full dotted name."""
        full = f"{owner}.{attribute}"
        if full in self._scopes:
            return one(Ref(full))
        scope = self._scopes[owner].module if owner in self._scopes else self._definitions.get(owner)
        if scope is None:
            return one(Ref(full))
        if attribute in scope.bindings:
            return self.name(attribute, scope)
        if scope.kind == "module" and scope.stars:
            return union([one(Ref(full)), *(self.attribute(star, attribute) for star in scope.stars)])
        return one(Ref(full))

    def _each(self, base: Result, attribute: str) -> Result:
        found = [self._attribute_of(value, attribute) for value in base.values]
        result = union(found) if found else UNKNOWN
        return result if base.complete else result.incomplete()

    def _attribute_of(self, value: Value, attribute: str) -> Result:
        match value:
            case Ref(name=name) if attribute == "__dict__":
                return one(Namespace(name))
            case Ref(name="sys") if attribute == "modules":
                return one(Namespace(None))
            case Ref(name=name) if attribute == "__self__" and name.startswith("builtins."):
                return one(Ref("builtins"))
            case Ref(name=name) if name in self._scopes and attribute == "__name__":
                return one(Text(name))
            case Ref(name=name):
                return self.attribute(name, attribute)
            case Instance(of=name):
                # A subclass or an assignment elsewhere may change what an instance holds.
                return self.attribute(name, attribute).incomplete()
        return UNKNOWN

    def extended(self, scopes: Scopes) -> "Evaluator":
        """An evaluator that also knows the scopes of code held in a string."""
        inner = Evaluator({})
        inner._scopes, inner._definitions = self._scopes, self._definitions
        inner._inline = scopes
        return inner

    def is_unbound(self, dotted: str) -> bool:
        """Whether the name is that of something in a first-party module which the module does not bind: a submodule."""
        head, _, attribute = dotted.rpartition(".")
        return head in self._scopes and not self.binds(head, attribute)

    def binds(self, module: str, name: str) -> bool:
        """Whether a first-party module has, or may have, something of that name besides its submodules."""
        scope = self._scopes[module].module
        return name in scope.bindings or bool(scope.stars) or "__getattr__" in scope.bindings or name[:2] == "__"

    def definition(self, qualified: str) -> Scope | None:
        """The scope of a first-party function or class."""
        return self._definitions.get(qualified)


def _constant(value: object) -> Result:
    if isinstance(value, bytes):
        return one(Text(value.decode("ascii", errors="replace")))
    if isinstance(value, str):
        return one(Text(value))
    return one(Plain(value)) if isinstance(value, int | float | None) else UNKNOWN


def _percent(left: Result, right: Result) -> Result:
    """``"%s.%s" % (a, b)``"""
    (value,) = right.values if len(right.values) == 1 else (None,)
    arguments = value.elements if isinstance(value, Items) else (right,)

    def join(parts: tuple[str, ...]) -> str:
        try:
            return "" if any(character.isdigit() for character in parts[0]) else parts[0] % parts[1:]
        except (TypeError, ValueError):
            return ""

    return combined((left, *arguments), join)


def _opened(result: Result) -> Result:
    """A value whose contents change somewhere: what is known of it stays possible, at any place in it."""
    return Result(frozenset(_changed(value) for value in result.values), result.complete)


def _changed(value: Value) -> Value:
    if isinstance(value, Items):
        return Items((union((*value.elements, UNKNOWN)),))
    return Table((*value.entries, (None, UNKNOWN))) if isinstance(value, Table) else value


_FOLLOWED: Final[dict[type[ast.expr], Callable[[Evaluator, Any, Scope], Result]]] = {
    ast.Name: lambda evaluator, node, scope: evaluator.name(node.id, scope),
    ast.Constant: lambda evaluator, node, scope: _constant(node.value),
    ast.Attribute: Evaluator._of_attribute,
    ast.Call: called,
    ast.Subscript: Evaluator._of_subscript,
    ast.JoinedStr: Evaluator._of_text,
    ast.BinOp: Evaluator._of_operation,
    ast.IfExp: Evaluator._of_choice,
    ast.BoolOp: Evaluator._of_either,
    ast.NamedExpr: lambda evaluator, node, scope: evaluator.value(node.value, scope),
    **dict.fromkeys((ast.List, ast.Tuple, ast.Set), Evaluator._of_items),
    ast.Dict: Evaluator._of_table,
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.GeneratorExp), Evaluator._of_comprehension),
}
"""How each kind of expression is followed; any other is UNKNOWN."""
