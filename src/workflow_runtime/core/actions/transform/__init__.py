"""The pure ``transform.*`` actions. Pure; called by the worker's action activity, and by tests, without any I/O."""

from workflow_runtime.core.actions.transform.table import TRANSFORM_IDS, run_transform

__all__ = ["TRANSFORM_IDS", "run_transform"]
