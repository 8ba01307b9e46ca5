"""Under which conditions a statement runs: typing blocks, dead branches, swallowed imports. Build process."""

import ast
from typing import Final

_TYPING_MODULES: Final = frozenset({"typing", "typing_extensions", "_typing"})
_CAUGHT: Final = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def type_checking_names(tree: ast.AST, text: str) -> frozenset[str]:
    """Every plain name of the module that stands for ``typing.TYPE_CHECKING``, aliases and re-assignments included."""
    names = {"TYPE_CHECKING", "MYPY"}
    if not any(name in text for name in names):
        return frozenset(names)
    assignments = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _TYPING_MODULES:
            names |= {alias.asname or alias.name for alias in node.names if alias.name == "TYPE_CHECKING"}
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Name | ast.Attribute):
            assignments.append(node)
    known = -1
    while known != len(names):
        known = len(names)
        for node in assignments:
            if node.value is not None and _is_flag(node.value, names):
                names |= {target.id for target in _targets(node) if isinstance(target, ast.Name)}
    return frozenset(names)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _is_flag(node: ast.expr, names: set[str] | frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names
    return isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING"


def runtime_truth(test: ast.expr, names: frozenset[str]) -> bool | None:
    """The value of a condition in a running program as far as the source fixes it; None when it does not."""
    if _is_flag(test, names):
        return False
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = runtime_truth(operand, names)
            return None if truth is None else not truth
        case ast.BoolOp(op=op, values=values):
            return _combined(op, [runtime_truth(value, names) for value in values])
        case ast.NamedExpr(value=value):
            return runtime_truth(value, names)
        case ast.Call(func=ast.Name(id="bool"), args=[argument], keywords=[]):
            return runtime_truth(argument, names)
        case ast.Compare(left=left, ops=[op], comparators=[ast.Constant(value=bool() as expected)]):
            return _compared(runtime_truth(left, names), op, expected)
    return None


def _combined(op: ast.boolop, truths: list[bool | None]) -> bool | None:
    decisive = isinstance(op, ast.Or)
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive


def _compared(truth: bool | None, op: ast.cmpop, expected: bool) -> bool | None:
    if truth is None or not isinstance(op, ast.Eq | ast.Is | ast.NotEq | ast.IsNot):
        return None
    return (truth == expected) is isinstance(op, ast.Eq | ast.Is)


def swallows_import_errors(node: ast.Try | ast.TryStar) -> bool:
    """Whether a handler of the statement would hide a failed import."""
    return any(handler.type is None or _names_import_error(handler.type) for handler in node.handlers)


def suppresses_import_errors(node: ast.With | ast.AsyncWith) -> bool:
    """Whether the block is a ``with suppress(ImportError)``."""
    for item in node.items:
        call = item.context_expr
        if isinstance(call, ast.Call) and _last_name(call.func) == "suppress" and _names_import_error(*call.args):
            return True
    return False


def _names_import_error(*nodes: ast.expr) -> bool:
    return any(
        _names_import_error(*node.elts) if isinstance(node, ast.Tuple) else _last_name(node) in _CAUGHT
        for node in nodes
    )


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None
