"""Settings of temporal-worker. Process code only."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from workflow_runtime.core.contract import DOMAIN_QUEUES
from workflow_runtime.service.settings import ProcessSettings


class TemporalWorkerSettings(ProcessSettings):
    """``TEMPORAL_TASK_QUEUES`` names the queues to poll, comma separated; without it every domain queue is polled."""

    temporal_task_queues: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = DOMAIN_QUEUES

    @field_validator("temporal_task_queues", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        names = (name.strip() for name in value.split(","))
        return tuple(dict.fromkeys(name for name in names if name))
