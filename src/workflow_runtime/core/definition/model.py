"""A whole definition and its trigger as models. Pure; importable anywhere.

Source: RUNTIME.md section 2.
"""

from typing import Annotated, Any
from typing import Literal as Fixed

from pydantic import Field

from workflow_runtime.core.definition.steps import Steps, Text, Version
from workflow_runtime.core.definition.values import Value
from workflow_runtime.core.wire import WireModel


class EventTrigger(WireModel):
    """Starts a run for each event of ``event_name``; the mapping sees ``event`` only."""

    type: Fixed["event"]
    event_name: Text
    source_payload_schema_ref: Text | None = None
    payload_mapping: dict[Text, Value] | None = None


class ScheduleTrigger(WireModel):
    """Starts one run at ``run_at``, an ISO 8601 instant (checked at publish, so that a draft may be incomplete)."""

    type: Fixed["schedule"]
    run_at: str = ""


class RecurringTrigger(WireModel):
    """Starts a run whenever the five-field ``cron`` fires in ``timezone`` (an IANA name)."""

    type: Fixed["recurring"]
    cron: str
    timezone: str


type Trigger = Annotated[EventTrigger | ScheduleTrigger | RecurringTrigger, Field(discriminator="type")]


class Definition(WireModel):
    """An authored workflow."""

    id: Text
    version: Version
    name: Text
    description: str | None = None
    payload_schema_ref: Text
    trigger: Trigger | None = None
    steps: Steps

    def to_wire(self) -> dict[str, Any]:
        """The JSON the author wrote: camelCase, without the defaults that were not written."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
