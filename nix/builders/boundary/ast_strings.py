"""Modules named in strings: ``pkg.mod:attr``, dotted paths, and Python command lines. Build process."""

import ast
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from boundary.ast_dynamic import CodeReader, dynamic, module_of_path
from boundary.ast_walk import Here, Role, Visitor
from boundary.loaders import LOGGER_NAMES
from boundary.references import Certainty, Reference, Undecidable
from boundary.values import Result, Text
from boundary.words import words

_OBJECT = re.compile(r"(?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_COMMAND = re.compile(r"\bpython[\d.]*\s+(?:-[A-Za-z]+\s+)*-m\s*([A-Za-z_][\w.]*)")
_CODE = re.compile(r"\bpython[\d.]*\s+(?:-[A-Za-z]+\s+)*-c\s*(['\"])(.*?)\1", re.DOTALL)
_OPEN_COMMAND = re.compile(r"\bpython[\d.]*\s+(?:-[A-Za-z]+\s+)*-[mc]\s*['\"]?$")
_PYTHON = re.compile(r"(^|/)python[\d.]*$")
_TAKES_VALUE: Final = frozenset({"-X", "-W", "--check-hash-based-pycs"})
_NOT_MODULES: Final = words(
    """
    com org net io dev app md txt json toml yaml yml ini cfg conf html css js log sock py sh lua sql pem key crt typed
    """
)
"""Last parts that make a dotted string a host or a file name."""


class StringVisitor(Visitor):
    """Collects the modules that strings name. ``tops`` are the first parts of every import name the project knows."""

    def __init__(self, tops: frozenset[str], first_party_tops: frozenset[str], read_code: CodeReader) -> None:
        self.references: list[Reference] = []
        self.undecidable: list[Undecidable] = []
        self._tops = tops
        self._first_party_tops = first_party_tops
        self._read_code = read_code
        self._logger_names: set[ast.expr] = set()

    def call(self, node: ast.Call, here: Here) -> frozenset[ast.expr]:
        """Remember the strings that name loggers."""
        if node.args and LOGGER_NAMES.intersection(here.evaluator.value(node.func, here.scope).refs()):
            self._logger_names.add(node.args[0])
        return frozenset()

    def text(self, node: ast.expr, role: Role, here: Here) -> None:
        """A string, or an expression that makes one."""
        if node in self._logger_names:
            return
        result = here.evaluator.value(node, here.scope)
        for text in result.texts():
            self._named_in(text, node, role, here)
        if not result.complete and any(_OPEN_COMMAND.search(part) for part in _constants(node)):
            self._undecided("python", "what it runs is computed", node, here)

    def _named_in(self, text: str, node: ast.expr, role: Role, here: Here) -> None:
        if match := _OBJECT.fullmatch(text):
            self._hint(match["module"], "string reference", node, role, here)
        elif _DOTTED.fullmatch(text) and text.rpartition(".")[2] not in _NOT_MODULES:
            self._hint(text, "string reference", node, role, here)
        elif " " in text:
            for module in _COMMAND.findall(text):
                self._hint(module, "python -m in a string", node, role, here)
            for _, code in _CODE.findall(text):
                self._read_code(code, here, node, "python -c")
            for word in text.split():
                match = _OBJECT.fullmatch(word)
                if match and match["module"].partition(".")[0] in self._first_party_tops:
                    self._hint(match["module"], "string reference", node, role, here)

    def _hint(self, target: str, form: str, node: ast.expr, role: Role, here: Here) -> None:
        if target.partition(".")[0] in self._tops:
            certainty = Certainty.TYPE_ONLY if role is Role.ANNOTATION else dynamic(here)
            self.references.append(Reference(here.spot(node), target, form, certainty, object_path=True, hint=True))

    def sequence(self, elements: Sequence[ast.expr], node: ast.expr, here: Here) -> None:
        """An argument list; what follows a Python interpreter decides."""
        if len(elements) < 2 or not any(_plausible(element) for element in elements):
            return
        values = [here.evaluator.value(element, here.scope) for element in elements]
        start = next((index for index, value in enumerate(values) if _is_python(value)), None)
        if start is not None and (not isinstance(node, ast.Call) or _is_option(values[start + 1 : start + 2])):
            self._arguments(values[start + 1 :], node, here)
            return
        for option, value in pairwise(values):
            for text in value.texts() if option.texts() == ["-m"] else ():
                self._hint(text, "-m in an argument list", node, Role.VALUE, here)

    def _arguments(self, values: Sequence[Result], node: ast.expr, here: Here) -> None:
        """The arguments of a Python interpreter, up to the one that says what it runs."""
        skip = False
        for index, value in enumerate(values):
            if skip:
                skip = False
                continue
            if not value.texts() or not value.complete:
                self._undecided("python", "an argument of the interpreter is computed", node, here)
                return
            (option, *_) = value.texts()
            if option in ("-m", "-c"):
                self._run(option, values[index + 1 : index + 2], node, here)
                return
            if option.startswith("-m"):
                self._module(option[2:], node, here)
                return
            if not option.startswith("-"):
                self._script(option, node, here)
                return
            skip = option in _TAKES_VALUE

    def _run(self, option: str, given: Sequence[Result], node: ast.expr, here: Here) -> None:
        if not given or not given[0].complete or not given[0].texts():
            self._undecided(f"python {option}", "what it runs is computed", node, here)
        for text in given[0].texts() if given else ():
            if option == "-m":
                self._module(text, node, here)
            else:
                self._read_code(text, here, node, "python -c")

    def _module(self, name: str, node: ast.expr, here: Here) -> None:
        self.references.append(Reference(here.spot(node), name, "python -m", dynamic(here), attribute="__main__"))

    def _script(self, path: str, node: ast.expr, here: Here) -> None:
        module = module_of_path(path, self._first_party_tops)
        if module is None:
            self._undecided("python", f"the script {path!r} is not a module of this project", node, here)
        else:
            self.references.append(Reference(here.spot(node), module, "python script", dynamic(here)))

    def _undecided(self, form: str, reason: str, node: ast.expr, here: Here) -> None:
        self.undecidable.append(Undecidable(here.spot(node), form, reason, dynamic(here)))


def _constants(node: ast.expr) -> list[str]:
    """The constant pieces of a string that is put together."""
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _plausible(element: ast.expr) -> bool:
    """Whether an element could be a Python interpreter or an option, seen without evaluating anything."""
    if isinstance(element, ast.Constant):
        return isinstance(element.value, str) and (element.value == "-m" or "python" in element.value)
    return isinstance(element, ast.Name | ast.Attribute | ast.Starred)


def _is_option(values: Sequence[Result]) -> bool:
    """Whether an option comes next: the arguments of a call are a command line only then."""
    return any(text.startswith("-") for value in values for text in value.texts())


def _is_python(value: Result) -> bool:
    if "sys.executable" in value.refs():
        return True
    return any(isinstance(held, Text) and _PYTHON.search(held.value) for held in value.values)
