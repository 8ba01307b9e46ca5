"""What publishing must know about the world: actions, schemas, events, workflows, secrets. Pure data, built by a
process.

The process that publishes loads these for one tenant and passes them in, so that judging a definition is a function.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from workflow_runtime.core.actions import ActionSpec
from workflow_runtime.core.contract import DEFAULT_CORRELATION_PATHS
from workflow_runtime.core.correlation import CorrelationRules
from workflow_runtime.core.definition import CallWorkflowStep, Definition, walk_steps

type WorkflowVersion = tuple[str, int]
"""Workflow id and version."""


@dataclass(frozen=True, slots=True)
class CalledWorkflow:
    """A published version as its callers see it: the schema of its payload, and what it calls itself."""

    payload_schema: Any
    calls: tuple[WorkflowVersion, ...] = ()


class Workflows(Protocol):
    """The published versions of a tenant, at least those which ``Definition`` reaches by calls."""

    def find(self, workflow_id: str, version: int) -> CalledWorkflow | None:
        """The version, or None when it is not published."""

    def known(self) -> Mapping[str, tuple[int, ...]]:
        """Every workflow id with its published versions, for suggestions."""


class NoWorkflows(Workflows):
    """A tenant that has published nothing."""

    def find(self, workflow_id: str, version: int) -> CalledWorkflow | None:
        return None

    def known(self) -> Mapping[str, tuple[int, ...]]:
        return {}


class LoadedWorkflows(Workflows):
    """Versions that were loaded beforehand; ``others`` are ids known by name only."""

    def __init__(
        self, versions: Mapping[WorkflowVersion, CalledWorkflow], others: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        self._versions = dict(versions)
        self._known: dict[str, tuple[int, ...]] = dict(others or {})
        for workflow_id, version in sorted(self._versions):
            self._known[workflow_id] = tuple(sorted({*self._known.get(workflow_id, ()), version}))

    def find(self, workflow_id: str, version: int) -> CalledWorkflow | None:
        return self._versions.get((workflow_id, version))

    def known(self) -> Mapping[str, tuple[int, ...]]:
        return self._known


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything a definition is judged against.

    ``actions`` by ``<id>@<version>``; ``schemas`` by ref; ``events`` maps event name to the ref of its payload schema;
    ``secrets`` and ``timezones`` are None when they cannot be listed, and are then not checked; ``now_iso`` tells
    whether a one-time trigger lies in the past, and is not checked when None.
    """

    actions: Mapping[str, ActionSpec] = field(default_factory=dict)
    schemas: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    workflows: Workflows = field(default_factory=NoWorkflows)
    secrets: frozenset[str] | None = None
    timezones: frozenset[str] | None = None
    correlation_rules: CorrelationRules = field(default_factory=lambda: DEFAULT_CORRELATION_PATHS)
    now_iso: str | None = None


def called_workflows(definition: Definition) -> tuple[WorkflowVersion, ...]:
    """The versions a definition calls, sorted, each once."""
    found = {
        (placed.step.workflow_id, placed.step.workflow_version)
        for placed in walk_steps(definition)
        if isinstance(placed.step, CallWorkflowStep)
    }
    return tuple(sorted(found))
