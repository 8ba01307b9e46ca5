"""Turn an authored value into plain JSON. Pure; importable anywhere, workflow code included."""

from collections.abc import Mapping
from typing import Any

from workflow_runtime.core.definition.values import EXPR_KEY, SECRET_KEY, Expr
from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions.compiled import compile_expression


def resolve_value(value: object, context: Mapping[str, Any], now_iso: str) -> Any:
    """``value`` with every expression inside it evaluated against ``context``.

    A literal stays as it is; ``{"$secret": name}`` stays too, because secrets are read inside the activity only.
    Raises ``ExpressionFailure``.
    """
    if isinstance(value, Expr):
        return compile_expression(value.text).evaluate(context, now_iso=now_iso)
    if isinstance(value, Mapping):
        if EXPR_KEY in value:
            return compile_expression(_text(value[EXPR_KEY])).evaluate(context, now_iso=now_iso)
        if SECRET_KEY in value:
            return dict(value)
        return {key: resolve_value(item, context, now_iso) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve_value(item, context, now_iso) for item in value]
    return value


def _text(source: object) -> str:
    if not isinstance(source, str):
        raise ExpressionFailure(f"An expression is text, this one is a {type(source).__name__}.", code="SYNTAX_ERROR")
    return source
