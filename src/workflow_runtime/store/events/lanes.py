"""Names of the lanes that keep events in order, see `EventLedger`. Importable anywhere; pure."""

from workflow_runtime.store.events._keys import key_lanes, run_lane, workflow_lanes

__all__ = ["key_lanes", "run_lane", "workflow_lanes"]
