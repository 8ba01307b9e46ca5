"""What a run has received and not yet used: events, task responses, quota resumes. Pure; workflow code.

Whatever stands here survives continue-as-new. An event id is taken at most once in the life of a run; an event that a
wait's filters refused stays, and every later wait judges it anew.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from workflow_runtime.core.contract import EventSignal, HumanTaskSignal, QuotaResumeSignal
from workflow_runtime.core.filters import matches
from workflow_runtime.core.machine.effects import WaitForEvent


class AcceptedResponse(HumanTaskSignal):
    """A response the run has accepted; ``responded_by`` is who gave it, where the sender said so."""

    responded_by: str | None = Field(default=None, exclude_if=lambda name: name is None)


class Mailbox(BaseModel):
    """``barred`` are the ids of events that came before a ``since: wait`` wait opened and so do not count for it."""

    model_config = ConfigDict(extra="forbid")

    events: dict[str, EventSignal] = Field(default_factory=dict)
    consumed: dict[str, None] = Field(default_factory=dict)
    responses: dict[str, AcceptedResponse] = Field(default_factory=dict)
    resumes: list[QuotaResumeSignal] = Field(default_factory=list)
    open_wait: str | None = None
    barred: frozenset[str] = frozenset()

    @classmethod
    def restore(cls, dumped: Any) -> Self:
        """The mailbox that ``dump`` wrote."""
        return cls.model_validate(dumped, strict=False)

    def dump(self) -> dict[str, Any]:
        """JSON for the checkpoint; the sets are in a fixed order, because a replay must write the same."""
        return {**self.model_dump(mode="json", by_alias=True), "barred": sorted(self.barred)}

    # Events

    def receive(self, event: EventSignal) -> None:
        """Keep an event unless it has been taken; the key it was matched by last is the one that counts."""
        if event.event_id not in self.consumed:
            self.events[event.event_id] = event

    def receive_recorded(self, event: EventSignal) -> None:
        """Keep an event that the store found for the wait which opens: none that it recorded earlier would do.

        It may have come while no wait was open, and later ones while the wait before was: those were sent at once.
        """
        if event.event_id in self.consumed:
            return
        others = {name: other for name, other in self.events.items() if name != event.event_id}
        earlier = {name: other for name, other in others.items() if _time(other) < _time(event)}
        self.events = {**earlier, event.event_id: event, **others}

    def forbid(self, event_id: str) -> None:
        """Never take this event: it is the one that started the run."""
        self.consumed[event_id] = None
        self.events.pop(event_id, None)

    def open(self, wait: WaitForEvent) -> None:
        """A wait begins; opening it again, after continue-as-new, changes nothing."""
        if self.open_wait != wait.wait_id:
            self.open_wait = wait.wait_id
            self.barred = frozenset(self.events) if wait.since == "wait" else frozenset()

    def match(self, wait: WaitForEvent) -> EventSignal | None:
        """The first received event that satisfies ``wait``."""
        return next((event for event in self.events.values() if self._fits(wait, event)), None)

    def take(self, event: EventSignal) -> None:
        """The event resumed the run; it is gone for good."""
        self.forbid(event.event_id)

    def _fits(self, wait: WaitForEvent, event: EventSignal) -> bool:
        return (
            event.event_name == wait.event_name
            and (wait.correlation_key is None or event.correlation_key == wait.correlation_key)
            and event.event_id not in self.barred
            and all(matches(item, event.payload) for item in wait.filters)
        )

    # Tasks and quotas

    def respond(self, response: AcceptedResponse) -> None:
        """Keep the first response to a task."""
        self.responses.setdefault(response.task_id, response)

    def resume(self, signal: QuotaResumeSignal) -> None:
        """Keep a quota resume."""
        self.resumes.append(signal)

    def take_resume(self, wait_id: str) -> bool:
        """Use up a resume meant for this wait, or for any."""
        for signal in self.resumes:
            if signal.wait_id in (None, wait_id):
                self.resumes.remove(signal)
                return True
        return False


def _time(event: EventSignal) -> str:
    # Who does not say when it was accepted sent it as soon as it was.
    return event.received_at or ""
