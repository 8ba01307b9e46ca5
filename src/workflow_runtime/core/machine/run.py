"""Who a run is and where its machine takes time and chance from. Pure; importable anywhere."""

from typing import Any, Protocol

from pydantic import Field

from workflow_runtime.core.wire import WireModel


class RunContext(WireModel):
    """Identity of one run; what expressions see as ``system``, pinned for the whole life of the run."""

    run_id: str
    workflow_id: str
    workflow_version: int = Field(ge=1)
    tenant_id: str
    definition_hash: str
    """SHA-256 (hex) of the pinned definition; a checkpoint is refused against any other."""
    runtime_semantics_version: int = Field(ge=1)

    def system(self) -> dict[str, Any]:
        """The ``system`` scope."""
        return self.model_dump(by_alias=True)


class Clock(Protocol):
    """Time and chance as the workflow sees them: the same on every replay."""

    def now_iso(self) -> str:
        """Workflow time, ISO 8601 UTC."""
        ...

    def random(self) -> float:
        """A number in [0, 1) from the workflow's seeded generator."""
        ...
