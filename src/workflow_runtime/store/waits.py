"""The index of runs that wait for events, see `WaitIndex`. Processes and activities only, never workflow code."""

from workflow_runtime.store.events.records import Wait
from workflow_runtime.store.events.wait_index import WaitIndex, event_signal

__all__ = ["Wait", "WaitIndex", "event_signal"]
