"""Settings of every process that accepts events: workflow-worker from the stream, workflow-server from callers.

Process code only. Both must be told the same, or an event gets other keys on one way than on the other.
"""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from workflow_runtime.core.contract import DEFAULT_CORRELATION_PATHS
from workflow_runtime.service.settings import ProcessSettings

type CorrelationPaths = Mapping[str, tuple[str, ...]]


class EventSettings(ProcessSettings):
    """Where correlation keys are found, and how long a finished event stays, in seconds."""

    workflow_runtime_v2_event_correlation_paths_json: Annotated[CorrelationPaths, NoDecode] = Field(
        default_factory=DEFAULT_CORRELATION_PATHS.copy
    )
    event_retention_seconds: int = Field(default=24 * 60 * 60, ge=1)

    @field_validator("workflow_runtime_v2_event_correlation_paths_json", mode="before")
    @classmethod
    def _parse_paths(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f'not JSON ({error.msg}); write for example {{"*": ["ticketId"]}}') from None
