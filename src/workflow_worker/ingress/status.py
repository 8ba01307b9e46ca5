"""What the ingress says about itself: heartbeats of its loops, lag and age of pending messages. Process code only."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workflow_worker.ingress.settings import IngressSettings


@dataclass(slots=True)
class IngressStatus:
    """Filled in by the loops, read by readiness and metrics. Ages in seconds.

    ``lag`` counts unread stream messages, ``backlog`` accepted events that are not settled.
    """

    settings: IngressSettings
    clock: Callable[[], float] = time.monotonic
    reading: bool = False
    """Whether this replica is the one that reads the stream at present."""
    group_found: bool = False
    """Whether the consumer group has been met or made since the start."""
    lag: int = 0
    pending_age: float = 0.0
    backlog: int = 0
    in_flight: int = 0
    beats: dict[str, float] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def came_round(self, loop: str, fault: str | None = None) -> None:
        """The loop named ``loop`` came round; ``fault`` says why it could not do its work, if it could not."""
        self.beats[loop] = self.clock()
        if fault is None:
            self.faults.pop(loop, None)
        else:
            self.faults[loop] = fault

    async def check(self) -> tuple[bool, str]:
        """The readiness check of the ingress: ``(ok, one sentence)``."""
        complaint = self.complaint()
        role = "reads the stream" if self.reading else "stands by to read the stream"
        return complaint is None, complaint or f"{role}; lag {self.lag}, backlog {self.backlog}"

    def complaint(self) -> str | None:
        """The first thing that is wrong, or None."""
        if not self.beats:
            return "the ingress has not started"
        for loop, fault in self.faults.items():
            return f"the {loop} loop cannot work: {fault}"
        if not self.group_found:
            return "the ingress has not found the consumer group yet"
        loop, beat = min(self.beats.items(), key=lambda item: item[1])
        if (age := self.clock() - beat) > self.settings.max_heartbeat_age_seconds:
            return f"the {loop} loop has not come round for {age:.0f} s"
        return self._behind()

    def _behind(self) -> str | None:
        limits = self.settings
        if self.pending_age > limits.max_pending_age_seconds:
            return f"a delivered message is unacknowledged for {self.pending_age:.0f} s"
        if self.lag > limits.max_lag:
            return f"{self.lag} unread messages, more than the {limits.max_lag} that count as keeping up"
        return None
