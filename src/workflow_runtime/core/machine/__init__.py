"""The frame machine that runs authored definitions. Pure and deterministic; importable in workflow code."""

from workflow_runtime.core.machine.effects import (
    CallAction,
    Cancelled,
    Completed,
    Effect,
    Failed,
    FailedOutcome,
    Filter,
    Outcome,
    Project,
    Sleep,
    StartChild,
    Succeeded,
    TimedOut,
    WaitForEvent,
    WaitForQuota,
    WaitForTask,
)
from workflow_runtime.core.machine.machine import DEFAULT_SLICE, Machine
from workflow_runtime.core.machine.program import Program, published_program
from workflow_runtime.core.machine.run import Clock, RunContext
from workflow_runtime.core.machine.state import CHECKPOINT_VERSION

__all__ = [
    "CHECKPOINT_VERSION",
    "DEFAULT_SLICE",
    "CallAction",
    "Cancelled",
    "Clock",
    "Completed",
    "Effect",
    "Failed",
    "FailedOutcome",
    "Filter",
    "Machine",
    "Outcome",
    "Program",
    "Project",
    "RunContext",
    "Sleep",
    "StartChild",
    "Succeeded",
    "TimedOut",
    "WaitForEvent",
    "WaitForQuota",
    "WaitForTask",
    "published_program",
]
