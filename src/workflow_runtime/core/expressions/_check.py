"""Decides whether the text of an expression may run at all. Private to ``core.expressions``.

The syntax tree comes from jsonata-python's parser; nothing of that library ever evaluates. The rule is an allow-list
over the tree: calls by name to five functions, no lambda, no computed or partial call, no transform, no regular
expression, no variable that the text itself does not bind (RUNTIME.md section 4).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from workflow_runtime.core.didyoumean import did_you_mean
from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions._functions import ALLOWED_FUNCTIONS
from workflow_runtime.core.expressions._parser import parse
from workflow_runtime.core.expressions._reach import Reach, survey

_REFUSED: Final = {
    "lambda": "a function of its own",
    "partial": "a partial call",
    "transform": "a transform (| ... |)",
    "regex": "a regular expression",
}
_PLAIN_VARIABLES: Final = frozenset({"", "$"})
_BUILDERS: Final = frozenset({"append", "toString"})
_LINKS: Final = (
    "expression",
    "procedure",
    "body",
    "expr",
    "group",
    "lhs",
    "rhs",
    "condition",
    "then",
    "_else",
    "pattern",
    "update",
    "delete",
)
_LISTS: Final = (
    "steps",
    "arguments",
    "predicate",
    "stages",
    "lhs_object",
    "rhs_object",
    "rhs_terms",
    "terms",
    "expressions",
)


@dataclass(slots=True)
class Shape:
    """What the engine must know about an allowed text."""

    arities: dict[str, int] = field(default_factory=dict)
    """Allowed functions it calls, with the most arguments it passes."""
    divides: bool = False
    """Holds ``/`` or ``%``, the only operators that can give NaN."""
    builds: bool = False
    """Can build text, arrays, objects or tuples, so that its memory is not bounded by its input."""
    reach: Reach = field(default_factory=Reach)


def check(text: str) -> Shape:
    """The shape of ``text``. Raises ``ExpressionFailure`` (SYNTAX_ERROR, TOO_DEEP, FUNCTION_NOT_ALLOWED,
    CONSTRUCT_NOT_ALLOWED, UNKNOWN_VARIABLE)."""
    try:
        tree = _parse(text)
        shape = _shape_of(tree)
        shape.reach = survey(tree)
    except RecursionError as error:
        raise ExpressionFailure("The expression nests too deeply; split it.", code="TOO_DEEP") from error
    return shape


def _shape_of(tree: Any) -> Shape:
    checker = _Checker()
    nodes = list(_nodes(tree))
    for node in nodes:
        checker.collect(node)
    for node in nodes:
        checker.judge(node)
    return checker.shape


def _parse(text: str) -> Any:
    try:
        return parse(text)
    except RecursionError:
        raise
    except Exception as error:
        # The parser answers some malformed texts with IndexError or KeyError instead of its own error.
        raise ExpressionFailure("The expression is not valid JSONata.", code="SYNTAX_ERROR") from error


def _nodes(root: Any) -> Iterator[Any]:
    todo, seen = [root], set[int]()
    while todo:
        node = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list | tuple):
            todo.extend(node)
        elif hasattr(node, "type") and hasattr(node, "position"):
            yield node
            todo.extend(getattr(node, name, None) for name in (*_LINKS, *_LISTS))


class _Checker:
    def __init__(self) -> None:
        self.shape = Shape()
        self._bound: set[str] = set()
        self._callees: set[int] = set()

    def collect(self, node: Any) -> None:
        """What later judgements depend on: names the text binds, and variables that stand where a call is made."""
        if node.type == "bind":
            self._bound.add(str(node.lhs.value))
        for name in (node.focus, node.index):
            if isinstance(name, str):
                self._bound.add(name)
        if node.type == "index" and isinstance(node.value, str):
            self._bound.add(node.value)
        if node.type == "function":
            self._callees.add(id(node.procedure))
        if node.type == "apply" and node.rhs.type == "variable":
            self._callees.add(id(node.rhs))
            self._call(node.rhs.value, 1)

    def judge(self, node: Any) -> None:
        if node.type in _REFUSED:
            raise _not_allowed(_REFUSED[node.type])
        if node.type == "function":
            self._judge_call(node)
        elif node.type == "apply":
            self._judge_apply(node)
        elif node.type == "variable" and id(node) not in self._callees:
            self._judge_variable(str(node.value))
        elif node.type == "bind" and node.lhs.value in ALLOWED_FUNCTIONS:
            raise _not_allowed(f"a variable named ${node.lhs.value}, which is a function here; name it otherwise")
        self._measure(node)

    def _judge_call(self, node: Any) -> None:
        procedure = node.procedure
        if procedure.type != "variable":
            raise _refused_callee(procedure)
        if procedure.id is None:
            # The parser spells a ?? b as $exists(a) ? a : b; a call that an author wrote has an id.
            return
        # One more than written: on the right of ~> the piped value is the first argument.
        self._call(procedure.value, len(node.arguments) + 1)

    def _judge_apply(self, node: Any) -> None:
        if node.rhs.type not in ("variable", "function"):
            raise _not_allowed("~> to anything but one of the functions")

    def _judge_variable(self, name: str) -> None:
        if name in _PLAIN_VARIABLES or (name in self._bound and not name.startswith("_")):
            return
        if name in ALLOWED_FUNCTIONS:
            raise _not_allowed(f"the function ${name} as a value; call it")
        raise ExpressionFailure(
            f"The variable ${name} has no value: the expression does not bind it. Scopes are read without the $.",
            code="UNKNOWN_VARIABLE",
        )

    def _call(self, name: object, arguments: int) -> None:
        if name not in ALLOWED_FUNCTIONS:
            raise _function_not_allowed(str(name))
        self.shape.arities[str(name)] = max(self.shape.arities.get(str(name), 0), arguments)
        self.shape.builds |= name in _BUILDERS

    def _measure(self, node: Any) -> None:
        value = node.value
        if node.type == "binary":
            self.shape.divides |= value in ("/", "%")
            self.shape.builds |= value in ("&", "..")
        elif node.type == "unary":
            self.shape.builds |= value in ("[", "{")
        elif node.type == "parent":
            self.shape.builds = True
        self.shape.builds |= bool(node.tuple) or node.group is not None


def _refused_callee(procedure: Any) -> ExpressionFailure:
    if procedure.type != "path" or len(procedure.steps) != 1 or procedure.steps[0].type != "name":
        return _not_allowed("a computed call")
    name = str(procedure.steps[0].value)
    if name in ALLOWED_FUNCTIONS:
        return ExpressionFailure(f"After a dot, write ${name}(...) with the $.", code="FUNCTION_NOT_ALLOWED")
    return _function_not_allowed(name)


def _function_not_allowed(name: str) -> ExpressionFailure:
    names = ", ".join(ALLOWED_FUNCTIONS)
    hint = did_you_mean(name, ALLOWED_FUNCTIONS)
    message = f"The function {name} is not available; these are: {names}."
    return ExpressionFailure(f"{message} {hint}" if hint else message, code="FUNCTION_NOT_ALLOWED")


def _not_allowed(what: str) -> ExpressionFailure:
    return ExpressionFailure(f"An expression may not contain {what}.", code="CONSTRUCT_NOT_ALLOWED")
