"""Modules loaded by name: every loader in ``loaders``, its aliases, and the ways it may slip away. Build process."""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from boundary.ast_walk import Here, Role, Visitor
from boundary.loaders import (
    LOADING_METHODS,
    LOADING_MODULES,
    PATH_CHANGES,
    REFLECTION,
    SEARCH_PATHS,
    Loader,
    Takes,
    loader_of,
    made_by_loader,
)
from boundary.references import Certainty, Reference, Undecidable
from boundary.values import (
    UNKNOWN,
    Bound,
    Instance,
    Items,
    Namespace,
    Plain,
    Ref,
    Result,
    Text,
    elements_of,
    fully_known,
    one,
)

_DOTTED = re.compile(r"\.*[^\W\d]\w*(\.[^\W\d]\w*)*|\.+")
_MODULE: Final = Loader(Takes.MODULE)
_MAPPING: Final = frozenset({"builtins.map", "builtins.filter"})
_PARTIAL: Final = frozenset({"functools.partial", "functools.partialmethod"})
_READS_NAME: Final = frozenset(
    {"builtins.getattr", "builtins.hasattr", "builtins.vars", "builtins.dir", "builtins.callable"}
)

ATTRIBUTE: Final = "attribute access"

CodeReader = Callable[[str, Here, ast.expr, str], None]


class LoadingVisitor(Visitor):
    """Collects the references and undecidable lines that loaders make; ``read_code`` analyses source given as text."""

    def __init__(self, first_party_tops: frozenset[str], read_code: CodeReader) -> None:
        self.references: list[Reference] = []
        self.undecidable: list[Undecidable] = []
        self._tops = first_party_tops
        self._read_code = read_code

    def call(self, node: ast.Call, here: Here) -> frozenset[ast.expr]:
        """Read a call that may load something."""
        functions = here.evaluator.value(node.func, here.scope)
        for value in functions.values:
            name = value.name if isinstance(value, Ref) else value.function if isinstance(value, Bound) else ""
            if loader := self._loader(name, here):
                bound = value if isinstance(value, Bound) else None
                self._load(loader, name, _Arguments(node, here, bound), node, here)
        owner = here.evaluator.value(node.func.value, here.scope) if isinstance(node.func, ast.Attribute) else UNKNOWN
        if Namespace(None) in owner.values and node.args:
            self._modules_entry(node.args[0], node, here)
        return self._accounted(functions.refs(), node, here)

    @staticmethod
    def _loader(name: str, here: Here) -> Loader | None:
        """The loader of that name; a function of ours is none, whatever it is called."""
        return None if here.evaluator.definition(name) else loader_of(name)

    def _accounted(self, functions: Sequence[str], node: ast.Call, here: Here) -> frozenset[ast.expr]:
        """The arguments of a known call that hand a loader on without losing it."""
        if not functions or not node.args:
            return frozenset()
        first = node.args[0]
        if functions[0] in _MAPPING:
            return self._mapped(node, here)
        if functions[0] in _PARTIAL:
            return frozenset((first,))
        if functions[0] in _READS_NAME:
            self._read_by_name(functions[0], node, here)
            return frozenset((first,))
        return frozenset()

    def _mapped(self, node: ast.Call, here: Here) -> frozenset[ast.expr]:
        """``map(import_module, names)``"""
        names = here.evaluator.value(node.args[0], here.scope).refs()
        loaders = [(name, loader) for name in names if (loader := self._loader(name, here))]
        for name, loader in loaders:
            each = [elements_of(here.evaluator.value(argument, here.scope)) for argument in node.args[1:]]
            self._load(loader, name, _Arguments.given(each), node, here)
        return frozenset(node.args[:1]) if loaders else frozenset()

    def _read_by_name(self, function: str, node: ast.Call, here: Here) -> None:
        """``getattr(importlib, name)`` with a name that is not known."""
        owners = here.evaluator.value(node.args[0], here.scope).refs()
        if function == "builtins.getattr" and len(node.args) > 1 and LOADING_MODULES.intersection(owners):
            name = here.evaluator.value(node.args[1], here.scope)
            if not name.complete:
                self._undecided(node, f"getattr({owners[0]}, …)", "the attribute's name is computed", here)

    def name(self, node: ast.Name | ast.Attribute, role: Role, here: Here) -> None:
        """A loader, a loading module or the import system's state, used for anything but a call that can be read."""
        if role is Role.STORE or (isinstance(node, ast.Attribute) and node.attr in PATH_CHANGES):
            self._path_change(node, role, here)
        refs = here.evaluator.value(node, here.scope).refs()
        if isinstance(node, ast.Attribute):
            self._attribute(node, refs, here)
        for name in refs:
            loader = self._loader(name, here)
            if loader is not None and loader.takes is Takes.ANYTHING and role not in (Role.CALLEE, Role.ALIAS):
                self._undecided(node, name, "what it loads is decided when it runs", here)
            elif role is Role.VALUE and (loader is not None or name in LOADING_MODULES):
                self._undecided(node, name, "it is handed on, so its calls cannot be read", here)

    def _attribute(self, node: ast.Attribute, refs: list[str], here: Here) -> None:
        """A loading method of something unknown; a submodule reached through its package."""
        known = any(loader_of(name) or made_by_loader(name) or here.evaluator.definition(name) for name in refs)
        if node.attr in LOADING_METHODS and not known:
            self._undecided(node, f"….{node.attr}", "the object it is called on is not known", here)
        if node.attr in REFLECTION:
            self._undecided(node, f"….{node.attr}", "what it gives access to cannot be followed", here)
        for name in refs:
            if here.evaluator.is_unbound(name):
                spot, certainty = here.spot(node), dynamic(here)
                self.references.append(Reference(spot, name, ATTRIBUTE, certainty, object_path=True, hint=True))

    def _path_change(self, node: ast.Name | ast.Attribute, role: Role, here: Here) -> None:
        changed = node if role is Role.STORE or not isinstance(node, ast.Attribute) else node.value
        value = here.evaluator.value(changed, here.scope)
        names = set(value.refs()) | {"sys.modules" for held in value.values if held == Namespace(None)}
        for name in sorted(names & SEARCH_PATHS):
            self._undecided(node, name, "it changes where modules are found", here)

    def subscript(self, node: ast.Subscript, here: Here) -> None:
        """``sys.modules["pkg"]``"""
        if Namespace(None) in here.evaluator.value(node.value, here.scope).values:
            self._modules_entry(node.slice, node, here)

    def _modules_entry(self, key: ast.expr, node: ast.expr, here: Here) -> None:
        for text in here.evaluator.value(key, here.scope).texts():
            self._found(text, "sys.modules", node, here)

    def _load(self, loader: Loader, name: str, arguments: "_Arguments", node: ast.Call, here: Here) -> None:
        if loader.takes is Takes.ANYTHING:
            self._undecided(node, name, "what it loads is decided when it runs", here)
            return
        given = arguments.at(loader.position, loader.keyword)
        if given is None:
            if loader.takes is not Takes.ANCHOR or node.args:
                self._undecided(node, name, "its deciding argument is not in the call", here)
            return
        reader = {
            Takes.MODULE: self._module,
            Takes.IMPORT: self._import,
            Takes.OBJECT: self._object,
            Takes.ANCHOR: self._anchor,
            Takes.CODE: self._code,
            Takes.FILE: self._file,
            Takes.TABLE: self._table,
        }[loader.takes]
        if not reader(given, name, arguments, node, here):
            self._undecided(node, name, f"the argument is computed: {ast.unparse(node)[:80]}", here)

    def _module(self, given: Result, form: str, arguments: "_Arguments", node: ast.Call, here: Here) -> bool:
        decided = given.only_constants()
        for text in given.texts():
            packages = arguments.at(1, "package") if text.startswith(".") else None
            names = list(_absolute(text, packages))
            decided = decided and bool(names)
            for name in names:
                self._found(name, form, node, here, several=len(given.texts()) > 1)
        return decided

    def _import(self, given: Result, form: str, arguments: "_Arguments", node: ast.Call, here: Here) -> bool:
        dots = _level(arguments.at(4, "level"))
        around = arguments.at(1, "globals")
        own = around is None or around.values <= {Namespace(here.module.name), Plain(None)}
        members = arguments.at(3, "fromlist")
        taken = elements_of(members).texts() if members is not None else []
        placed = dots == 0 or (dots is not None and own)
        decided = given.only_constants() and placed and _members_known(members)
        for text in given.texts() if placed else ():
            names = list(_absolute("." * (dots or 0) + text, one(Text(here.module.package))))
            decided = decided and bool(names)
            for name in names:
                self._found(name, form, node, here, several=len(given.texts()) > 1)
                for attribute in taken:
                    self._found(name, form, node, here, attribute=attribute)
        return decided

    def _object(self, given: Result, form: str, arguments: "_Arguments", node: ast.Call, here: Here) -> bool:
        for text in given.texts():
            module, colon, _ = text.partition(":")
            if _DOTTED.fullmatch(module):
                self._found(module, form, node, here, object_path=not colon)
        return given.only_constants() or form.endswith("patch.dict")

    def _anchor(self, given: Result, form: str, arguments: "_Arguments", node: ast.Call, here: Here) -> bool:
        for text in given.texts():
            self._found(text, form, node, here)
        for name in given.refs():
            self._found(name, form, node, here, object_path=True)
        return given.complete and all(isinstance(value, Text | Ref) for value in given.values)

    def _code(self, given: Result, form: str, arguments: "_Arguments", node: ast.Call, here: Here) -> bool:
        for text in given.texts():
            self._read_code(text, here, node, form)
        compiled = given.values == {Instance("builtins.compile")}
        return given.only_constants() or compiled

    def _table(self, given: Result, form: str, arguments: "_Arguments", node: ast.Call, here: Here) -> bool:
        return fully_known(given)

    def _file(self, given: Result, form: str, arguments: "_Arguments", node: ast.Call, here: Here) -> bool:
        names = [name for text in given.texts() if (name := module_of_path(text, self._tops))]
        for name in names:
            self._found(name, form, node, here)
        return given.complete and len(names) == len(given.values)

    def _found(
        self,
        target: str,
        form: str,
        node: ast.expr,
        here: Here,
        *,
        attribute: str | None = None,
        object_path: bool = False,
        several: bool = False,
    ) -> None:
        if _DOTTED.fullmatch(target):
            reference = Reference(here.spot(node), target, form, dynamic(here), attribute, object_path)
            self.references.append(replace(reference, one_of_several=several))

    def _undecided(self, node: ast.expr, form: str, reason: str, here: Here) -> None:
        self.undecidable.append(Undecidable(here.spot(node), form, reason, dynamic(here)))


class _Arguments:
    """The arguments of a call as Results, those of a partial function first."""

    def __init__(self, node: ast.Call, here: Here, bound: Bound | None = None) -> None:
        value, scope = here.evaluator.value, here.scope
        self._positional = list(bound.arguments) if bound else []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                self._positional += _spread(value(argument.value, scope))
            else:
                self._positional.append(value(argument, scope))
        self._keywords = dict(bound.keywords) if bound else {}
        self._keywords |= {word.arg: value(word.value, scope) for word in node.keywords if word.arg}
        self._open = any(word.arg is None for word in node.keywords)

    @classmethod
    def given(cls, positional: list[Result]) -> "_Arguments":
        """Arguments which are not those of the node itself."""
        arguments = cls.__new__(cls)
        arguments._positional, arguments._keywords, arguments._open = positional, {}, False
        return arguments

    def at(self, position: int, keyword: str) -> Result | None:
        """The argument, None when the call does not give it."""
        if keyword in self._keywords:
            return self._keywords[keyword]
        if position < len(self._positional):
            return self._positional[position]
        return UNKNOWN if self._open else None


def _spread(result: Result) -> Iterator[Result]:
    (value,) = result.values if len(result.values) == 1 else (None,)
    if isinstance(value, Items) and result.complete:
        yield from value.elements
    else:
        yield from [UNKNOWN] * 5


def _absolute(name: str, package: Result | None) -> Iterator[str]:
    """The absolute forms of a name that may be relative to any of the packages."""
    dots = len(name) - len(name.lstrip("."))
    if not dots:
        yield name
        return
    for base in package.texts() if package is not None else []:
        parts = base.split(".")
        if dots <= len(parts):
            yield ".".join([*parts[: len(parts) - dots + 1], *filter(None, [name[dots:]])])


def _members_known(members: Result | None) -> bool:
    """Whether the ``fromlist`` of ``__import__`` is absent, None, or a list of constants."""
    if members is None or (members.complete and members.values <= {Plain(None)}):
        return True
    return members.complete and elements_of(members).complete


def _level(level: Result | None) -> int | None:
    """The constant level of ``__import__``: 0 when absent, None when computed."""
    if level is None:
        return 0
    numbers = [getattr(value, "value", None) for value in level.values]
    return numbers[0] if level.complete and len(numbers) == 1 and isinstance(numbers[0], int) else None


def dynamic(here: Here) -> Certainty:
    """The certainty of something loaded by name at this place."""
    return Certainty.TYPE_ONLY if here.site.certainty is Certainty.TYPE_ONLY else Certainty.DYNAMIC


def module_of_path(path: str, tops: frozenset[str]) -> str | None:
    """``src/workflow_worker/main.py`` -> ``workflow_worker.main``; None when no part is a first-party package."""
    parts = path.removesuffix(".py").replace("\\", "/").split("/")
    start = next((index for index, part in enumerate(parts) if part in tops), None)
    if start is None:
        return None
    return ".".join(part for part in parts[start:] if part != "__init__")
