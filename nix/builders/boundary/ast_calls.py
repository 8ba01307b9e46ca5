"""Constant propagation through calls and subscripts: string methods, look-ups, partial functions. Build process."""

import ast
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from boundary.ast_scopes import Scope
from boundary.values import (
    UNKNOWN,
    Bound,
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
from boundary.words import words

if TYPE_CHECKING:
    from boundary.ast_evaluate import Evaluator

_TEXT_METHODS: Final = words(
    "format replace lower upper casefold title capitalize swapcase strip lstrip rstrip removeprefix removesuffix"
)
_HUGE = re.compile(r"\d{4}")
"""A width in a format that would make a string no module name can be, and memory that is better used."""
_SAME: Final = words("decode encode")
_COPIES: Final = frozenset(f"builtins.{name}" for name in words("list tuple set frozenset sorted reversed iter"))
_UNDERSTOOD: Final = _COPIES | words(
    """
    builtins.getattr builtins.vars builtins.globals builtins.locals builtins.str builtins.dict functools.partial
    functools.partialmethod importlib.import_module importlib.reload builtins.__import__ importlib.__import__
    """
)
_LOOKUPS: Final = words("get __getitem__ pop setdefault")


def called(evaluator: "Evaluator", node: ast.Call, scope: Scope) -> Result:
    """What a call gives."""
    if isinstance(node.func, ast.Attribute):
        result = _method(evaluator, node, node.func, scope)
        if result is not None:
            return result
    functions = evaluator.value(node.func, scope)
    results = [_function(evaluator, function, node, scope) for function in functions.values]
    result = union(results) if results else UNKNOWN
    return result if functions.complete else result.incomplete()


def _method(evaluator: "Evaluator", node: ast.Call, function: ast.Attribute, scope: Scope) -> Result | None:
    """A method of a string or a container; None when the receiver is something else."""
    base = evaluator.value(function.value, scope)
    if not base.values or any(isinstance(value, Ref | Instance | Bound | Plain) for value in base.values):
        return None
    if function.attr in _LOOKUPS and node.args:
        found = subscripted(evaluator, base, node.args[0], scope)
        return union((found, *(evaluator.value(default, scope) for default in node.args[1:])))
    if function.attr in ("values", "items", "keys"):
        return _view(base, function.attr)
    if all(isinstance(value, Text) for value in base.values):
        return _text_method(evaluator, base, function.attr, node, scope)
    return None


def _view(base: Result, method: str) -> Result:
    results: list[Result] = []
    for value in base.values:
        if not isinstance(value, Table):
            return UNKNOWN
        keys = [UNKNOWN if key is None else one(Text(key)) for key, _ in value.entries]
        held = [entry for _, entry in value.entries]
        pairs = [one(Items(pair)) for pair in zip(keys, held, strict=True)]
        results.append(one(Items(tuple({"values": held, "keys": keys, "items": pairs}[method]))))
    result = union(results)
    return result if base.complete else result.incomplete()


def _text_method(evaluator: "Evaluator", base: Result, method: str, node: ast.Call, scope: Scope) -> Result:
    arguments = [evaluator.value(argument, scope) for argument in node.args]
    if method in _SAME:
        return base
    if method == "join" and len(arguments) == 1:
        (value,) = arguments[0].values if len(arguments[0].values) == 1 else (None,)
        if isinstance(value, Items) and arguments[0].complete:
            return combined((base, *value.elements), lambda parts: parts[0].join(parts[1:]))
    if method in _TEXT_METHODS:
        names = [keyword.arg or "" for keyword in node.keywords]
        keywords = [evaluator.value(keyword.value, scope) for keyword in node.keywords]
        return combined((base, *arguments, *keywords), _applied(method, len(arguments), names))
    return UNKNOWN


def _applied(method: str, positional: int, names: list[str]) -> Callable[[tuple[str, ...]], str]:
    def apply(parts: tuple[str, ...]) -> str:
        keywords = dict(zip(names, parts[1 + positional :], strict=True))
        if method == "format" and _HUGE.search(parts[0]):
            return ""
        try:
            return str(getattr(parts[0], method)(*parts[1 : 1 + positional], **keywords))
        except (TypeError, ValueError, LookupError, AttributeError):
            return ""

    return apply


def _function(evaluator: "Evaluator", function: Value, node: ast.Call, scope: Scope) -> Result:
    if not isinstance(function, Ref):
        return UNKNOWN
    if function.name not in _UNDERSTOOD:
        return _instance(evaluator, function.name)
    arguments = [evaluator.value(argument, scope) for argument in node.args if not isinstance(argument, ast.Starred)]
    if not arguments:
        return _without_arguments(evaluator, function.name, node, scope)
    return _with_arguments(evaluator, function.name, arguments, node, scope)


def _without_arguments(evaluator: "Evaluator", name: str, node: ast.Call, scope: Scope) -> Result:
    if name == "builtins.globals" or (name in ("builtins.vars", "builtins.locals") and scope.kind == "module"):
        return one(Namespace(scope.module.name))
    if name == "builtins.dict":
        return one(Table(tuple((word.arg, evaluator.value(word.value, scope)) for word in node.keywords)))
    return UNKNOWN


def _with_arguments(evaluator: "Evaluator", name: str, arguments: list[Result], node: ast.Call, scope: Scope) -> Result:
    first, *others = arguments
    match name:
        case "builtins.getattr" if others:
            return union([_named(evaluator, first, others[0]), *others[1:]])
        case "builtins.vars":
            return _each_ref(first, Namespace)
        case "builtins.str":
            return combined([first], "".join)
        case "functools.partial" | "functools.partialmethod":
            return _partial(evaluator, arguments, node, scope)
        case "importlib.import_module" | "importlib.reload":
            return _modules(first)
        case "builtins.__import__" | "importlib.__import__":
            return _modules(first) if len(arguments) > 3 else _tops(first)
    return first if name in _COPIES else UNKNOWN


def _instance(evaluator: "Evaluator", name: str) -> Result:
    """The result of a class or function: what a class gives is known by its name, what our functions give is not."""
    scope = evaluator.definition(name)
    if scope is not None and scope.kind == "function":
        return UNKNOWN
    return one(Instance(name))


def _named(evaluator: "Evaluator", owners: Result, names: Result) -> Result:
    found = [evaluator.attribute(owner, text) for owner in owners.refs() for text in names.texts()]
    if not found:
        return UNKNOWN
    result = union(found)
    return result if owners.complete and names.complete else result.incomplete()


def _each_ref(owners: Result, make: Callable[[str], Value]) -> Result:
    names = owners.refs()
    return Result(frozenset(make(name) for name in names), owners.complete) if names else UNKNOWN


def _partial(evaluator: "Evaluator", arguments: list[Result], node: ast.Call, scope: Scope) -> Result:
    keywords = tuple((word.arg or "", evaluator.value(word.value, scope)) for word in node.keywords)
    bound = frozenset(Bound(name, tuple(arguments[1:]), keywords) for name in arguments[0].refs())
    return Result(bound, arguments[0].complete) if bound else UNKNOWN


def _modules(names: Result) -> Result:
    return Result(frozenset(Ref(text) for text in names.texts()), names.complete) if names.texts() else UNKNOWN


def _tops(names: Result) -> Result:
    tops = frozenset(Ref(text.partition(".")[0]) for text in names.texts())
    return Result(tops, names.complete) if tops else UNKNOWN


def subscripted(evaluator: "Evaluator", base: Result, index: ast.expr, scope: Scope) -> Result:
    """``base[index]``, also through ``get`` and the dictionaries of modules."""
    found = [_item(evaluator, value, index, scope) for value in base.values]
    result = union(found) if found else UNKNOWN
    return result if base.complete else result.incomplete()


def _item(evaluator: "Evaluator", value: Value, index: ast.expr, scope: Scope) -> Result:
    if isinstance(value, Text):
        return _cut(value.value, index)
    key = evaluator.value(index, scope)
    match value:
        case Namespace(owner=None):
            return _modules(key)
        case Ref(name="builtins"):
            return _from_namespace(evaluator, "builtins", key, scope)
        case Namespace(owner=str() as owner):
            return _from_namespace(evaluator, owner, key, scope)
        case Items(elements=elements):
            number = next(iter(key.values)) if len(key.values) == 1 and key.complete else None
            if (
                isinstance(number, Plain)
                and isinstance(number.value, int)
                and -len(elements) <= number.value < len(elements)
            ):
                return elements[number.value]
            return elements_of(one(value))
        case Table(entries=entries):
            return _entry(entries, key)
    return UNKNOWN


def _from_namespace(evaluator: "Evaluator", owner: str, key: Result, scope: Scope) -> Result:
    found = [
        evaluator.name(text, scope.root()) if owner == scope.module.name else evaluator.attribute(owner, text)
        for text in key.texts()
    ]
    result = union(found) if found else UNKNOWN
    return result if key.complete else result.incomplete()


def _entry(entries: tuple[tuple[str | None, Result], ...], key: Result) -> Result:
    wanted = key.texts() if key.complete and len(key.texts()) == len(key.values) else None
    fitting = [held for name, held in entries if wanted is None or name is None or name in wanted]
    return union(fitting) if fitting else Result(frozenset(), True)


def _cut(text: str, index: ast.expr) -> Result:
    """A constant slice or index of a known string."""
    try:
        place = ast.literal_eval(index) if not isinstance(index, ast.Slice) else _slice(index)
        return one(Text(text[place]))
    except (ValueError, TypeError, IndexError):
        return UNKNOWN


def _slice(node: ast.Slice) -> slice:
    start, stop, step = (
        None if part is None else ast.literal_eval(part) for part in (node.lower, node.upper, node.step)
    )
    return slice(start, stop, step)
