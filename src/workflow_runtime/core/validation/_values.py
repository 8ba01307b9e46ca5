"""Checks of authored values: their expressions and their secrets. Private to ``core.validation``."""

import re
from collections.abc import Mapping
from typing import Any, Final

from workflow_runtime.core.definition import Expr, iter_expressions, iter_secrets
from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions import compile_expression
from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.validation._report import Place

_SECRET_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def check_value(place: Place, field: str, value: Any, *, secrets: "SecretRule") -> None:
    """Every expression in ``value`` compiles; its secrets are allowed here, well named and known."""
    if isinstance(value, Expr):
        check_expression(place, field, value.text)
        return
    for path, text in iter_expressions(value):
        check_expression(place, join(field, path), text)
    for path, name in iter_secrets(value):
        secrets.check(place, join(field, path), name)


def check_values(place: Place, field: str, values: Mapping[str, Any], *, secrets: "SecretRule") -> None:
    """``check_value`` for each entry of a mapping."""
    for name, value in values.items():
        check_value(place, f"{field}.{name}", value, secrets=secrets)


def check_expression(place: Place, field: str, text: str) -> None:
    """One expression compiles."""
    try:
        compile_expression(text)
    except ExpressionFailure as failure:
        if failure.code == "EMPTY_EXPRESSION":
            place.error(FindingCode.EMPTY_EXPRESSION, f"{field} is an empty expression; write one or give a literal.")
        else:
            place.error(FindingCode.INVALID_EXPRESSION, f"{field}: {failure.message}")


class SecretRule:
    """What a place in a definition may do with secrets."""

    def __init__(self, known: frozenset[str] | None, *, allowed: bool) -> None:
        self._known = known
        self._allowed = allowed

    def check(self, place: Place, field: str, name: str) -> None:
        if not self._allowed:
            place.error(
                FindingCode.UNSUPPORTED_OPTION,
                f"{field} names the secret {name!r}, but secrets are read inside actions only.",
                "Move it to the inputMapping of an action.call step.",
            )
        elif _SECRET_NAME.fullmatch(name) is None:
            place.error(
                FindingCode.INVALID_SECRET_NAME,
                f"{field}: {name!r} is no secret name; use up to 128 letters, digits and _ . - (no . or - in front).",
            )
        elif self._known is not None and name not in self._known:
            place.error(
                FindingCode.SECRET_NOT_FOUND, f"{field}: there is no secret {name!r}; create it or correct the name."
            )


def join(field: str, path: str) -> str:
    """The name of a place inside a field."""
    return f"{field}.{path}" if path and not path.startswith("[") else f"{field}{path}"
