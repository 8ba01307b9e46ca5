"""Turn an authored value into plain JSON. Pure; importable anywhere, workflow code included."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow_runtime.core.definition.values import EXPR_KEY, SECRET_KEY, Expr
from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions.compiled import compile_expression


@dataclass(slots=True)
class Effort:
    """What evaluating has cost so far, in values looked at; about a thousand of them take a millisecond."""

    values: int = 0


def resolve_value(value: object, context: Mapping[str, Any], now_iso: str, effort: Effort | None = None) -> Any:
    """``value`` with every expression inside it evaluated against ``context``.

    A literal stays as it is; ``{"$secret": name}`` stays too, because secrets are read inside the activity only.
    ``effort`` grows by what it costs. Raises ``ExpressionFailure``.
    """
    if isinstance(value, Expr):
        return _evaluated(value.text, context, now_iso, effort)
    if isinstance(value, Mapping):
        if EXPR_KEY in value:
            return _evaluated(_text(value[EXPR_KEY]), context, now_iso, effort)
        if SECRET_KEY in value:
            return dict(value)
        return {key: resolve_value(item, context, now_iso, effort) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve_value(item, context, now_iso, effort) for item in value]
    return value


def _evaluated(text: str, context: Mapping[str, Any], now_iso: str, effort: Effort | None) -> Any:
    compiled = compile_expression(text)
    if effort is not None:
        effort.values += compiled.work(context)
    return compiled.evaluate(context, now_iso=now_iso)


def _text(source: object) -> str:
    if not isinstance(source, str):
        raise ExpressionFailure(f"An expression is text, this one is a {type(source).__name__}.", code="SYNTAX_ERROR")
    return source
