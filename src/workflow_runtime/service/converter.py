"""Between JSON in Temporal and values here: no message can stop a workflow. Pure; in every process's data converter.

What cannot be decoded fails the workflow task, which Temporal repeats for ever. Where a value of any kind may come,
from workers and callers in any language, it becomes an `Unreadable` instead, which is no JSON: whoever looks at the
value refuses it with a type, as it refuses other values that do not belong there.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter


@dataclasses.dataclass(frozen=True, slots=True)
class Unreadable:
    """In the place of a value; ``reason`` is the decoder's."""

    reason: str


_CONVERTERS: Final = tuple(PydanticPayloadConverter().converters.values())
"""Temporal makes a payload converter anew for every context, several times a task; made of these it begins with the
types it has met before, which cost a quarter of a millisecond to learn. They keep nothing else."""


class ForgivingPayloadConverter(PydanticPayloadConverter):
    """Pydantic's conversion, but that values without a declared type are never an error."""

    def __init__(self) -> None:
        CompositePayloadConverter.__init__(self, *_CONVERTERS)

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """One value a payload. Raises what pydantic raises where a type is declared."""
        hints: list[Any] = [*(type_hints or ()), *[None] * len(payloads)]
        return [self._value(payload, hint) for payload, hint in zip(payloads, hints, strict=False)]

    def _value(self, payload: Payload, hint: Any) -> Any:
        decoded = super().from_payloads
        if hint is not None and hint is not Any:
            return decoded([payload], [hint])[0]
        try:
            return decoded([payload])[0]
        except Exception as error:
            return Unreadable(str(error))


CONVERTER = DataConverter(payload_converter_class=ForgivingPayloadConverter)
"""What `large_payloads` adds the store of large values to."""
