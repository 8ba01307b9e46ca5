"""Values an author may write: literals, ``{"$expr": ...}`` and ``{"$secret": ...}``. Pure; importable anywhere.

Source: RUNTIME.md section 2. A literal is searched recursively for the other two.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from workflow_runtime.core.wire import WireModel

EXPR_KEY: Final = "$expr"
SECRET_KEY: Final = "$secret"


class Expr(WireModel):
    """An expression where nothing else is allowed: ``{"$expr": "payload.items"}``. Drafts may leave it empty."""

    model_config = ConfigDict(populate_by_name=True, alias_generator=None)

    text: str = Field(alias="$expr")


def is_expression(value: object) -> bool:
    """Whether ``value`` is ``{"$expr": text}``."""
    return isinstance(value, Mapping) and EXPR_KEY in value


def is_secret(value: object) -> bool:
    """Whether ``value`` is ``{"$secret": name}``."""
    return isinstance(value, Mapping) and SECRET_KEY in value


def iter_expressions(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every expression inside a value as ``(path, text)``; the path uses dots and ``[index]`` and may be empty."""
    if isinstance(value, Mapping):
        if EXPR_KEY in value:
            yield path, str(value[EXPR_KEY])
            return
        for key, item in value.items():
            yield from iter_expressions(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from iter_expressions(item, f"{path}[{index}]")


def iter_secrets(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every secret name inside a value as ``(path, name)``; paths as in ``iter_expressions``."""
    if isinstance(value, Mapping):
        if SECRET_KEY in value:
            yield path, str(value[SECRET_KEY])
            return
        for key, item in value.items():
            yield from iter_secrets(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from iter_secrets(item, f"{path}[{index}]")


def _check_references(value: Any) -> Any:
    if isinstance(value, dict):
        for key in (EXPR_KEY, SECRET_KEY):
            if key in value and not (len(value) == 1 and isinstance(value[key], str)):
                raise ValueError(f'a reference is exactly {{"{key}": "text"}}; put other keys outside it')
        for item in value.values():
            _check_references(item)
    elif isinstance(value, list):
        for item in value:
            _check_references(item)
    return value


def _check_literal(value: Any) -> Any:
    for key, found in ((EXPR_KEY, iter_expressions(value)), (SECRET_KEY, iter_secrets(value))):
        if next(found, None) is not None:
            raise ValueError(f'this place takes a literal only, no {{"{key}": ...}}')
    return value


type Value = Annotated[JsonValue, AfterValidator(_check_references)]
"""Any JSON in which ``$expr`` and ``$secret`` objects have their exact shape."""

type Literal = Annotated[JsonValue, AfterValidator(_check_literal)]
"""Any JSON without expressions or secrets."""
