"""Base of every model that crosses a process boundary: camelCase on the wire, snake_case in Python, unknown keys
refused."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """An immutable wire record; dump it with ``model_dump(mode="json", by_alias=True)``."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
    )
