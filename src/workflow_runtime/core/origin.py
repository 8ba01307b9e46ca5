"""What stands in a run's row besides its input, given along as a spare. Pure; importable anywhere.

A run reads its row when it begins. Should the store lose the row before that, the run makes it again from its two
arguments and goes on: ``RunInput``, whose fields never change, and the `RunOrigin` after it.
"""

import json
from typing import Any, Final

from pydantic import Field

from workflow_runtime.core.wire import WireModel

MAX_SPARE_CHARACTERS: Final = 8 * 1024
"""A payload whose text is longer does not travel twice: its run cannot begin without its row."""


def _left_out_when_absent() -> Any:
    # It is written with every start.
    return Field(default=None, exclude_if=lambda value: value is None)


class RunOrigin(WireModel):
    """The second argument of the workflow; ``created_at`` is ISO 8601 UTC, ``payload`` JSON text when it is short.

    ``parent_run_id`` and ``root_run_id`` are those of a child; any other run is its own root.
    """

    definition_hash: str
    created_at: str
    trigger_event_id: str | None = _left_out_when_absent()
    parent_run_id: str | None = _left_out_when_absent()
    root_run_id: str | None = _left_out_when_absent()
    payload: str | None = _left_out_when_absent()


def spare_payload(value: Any) -> str | None:
    """The text of a payload that is short enough to travel twice. ``value`` is JSON.

    >>> spare_payload({"n": 1}), spare_payload("x" * MAX_SPARE_CHARACTERS)
    ('{"n":1}', None)
    """
    # In ASCII, because half a surrogate pair is legal in JSON and no converter could write it.
    text = json.dumps(value, separators=(",", ":"))
    return text if len(text) <= MAX_SPARE_CHARACTERS else None
