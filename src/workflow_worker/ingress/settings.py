"""What the ingress can be told; main builds it from the process settings. Process code only; reads no environment."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from workflow_runtime.core.contract import DEFAULT_CORRELATION_PATHS, EVENT_CONSUMER_GROUP

_DAY: Final = 24 * 60 * 60


class IngressSettings(BaseModel):
    """Bounds and names. Times are in seconds, sizes in messages unless the name says bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    consumer_group: str = Field(default=EVENT_CONSUMER_GROUP, min_length=1)
    correlation_paths: Mapping[str, tuple[str, ...]] = Field(default_factory=lambda: dict(DEFAULT_CORRELATION_PATHS))
    """Payload paths searched for correlation keys: per event name, then ``*``."""

    retention_seconds: int = Field(default=_DAY, ge=1)
    """How long a finished event stays: for late waits, for deduplication and for explain."""

    read_batch: int = Field(default=100, ge=1)
    max_in_flight: int = Field(default=64, ge=1)
    """Starts and signals under way at once by this process; half as many events again may be with Redis meanwhile."""
    max_ready: int = Field(default=1000, ge=1)
    """Accepted events that may queue for routing before reading pauses; over all replicas."""

    max_deliveries: int = Field(default=5, ge=1)
    """Deliveries of a stream message, or beginnings of an event's routing, before it is a poison message."""
    max_attempts: int = Field(default=12, ge=1)
    """Attempts of one target before it fails for good."""
    first_retry_seconds: float = Field(default=1.0, gt=0)
    max_retry_seconds: float = Field(default=300.0, gt=0)
    attempt_timeout_seconds: float = Field(default=30.0, gt=0)

    lease_seconds: float = Field(default=10.0, gt=0)
    """How long a process that stopped answering keeps the stream or an event to itself."""
    grace_seconds: float = Field(default=10.0, gt=0)
    """How long an accepted event may stand in the ready queue before the sweep assumes that nobody was told."""
    silence_seconds: float = Field(default=60.0, gt=0)
    """A process that was not heard of for so long is dead, and what it left open counts against that. Longer than the
    lease: until then it may be slow."""
    sweep_seconds: float = Field(default=0.5, gt=0)
    maintenance_seconds: float = Field(default=10.0, gt=0)
    """Between trimmings of the stream, clean-ups of dead consumers and refreshes of lag."""
    recovery_seconds: float = Field(default=30.0, gt=0)
    """Between searches for starts that lost the process which was about to launch them."""
    dead_consumer_seconds: float = Field(default=60.0, gt=0)
    """Idle time after which a consumer that left nothing behind is removed from the group."""
    block_seconds: float = Field(default=1.0, gt=0, le=4.0)
    """Longest wait for a message in one call; below the Redis client's socket timeout of 5 s."""
    drain_seconds: float = Field(default=10.0, ge=0)

    max_lag: int = Field(default=100_000, ge=0)
    """Readiness fails above this many unread messages."""
    max_pending_age_seconds: float = Field(default=600.0, gt=0)
    """Readiness fails when a message stays delivered but unacknowledged for longer."""
    max_heartbeat_age_seconds: float = Field(default=30.0, gt=0)
    """Readiness fails when a loop has not come round for longer."""
