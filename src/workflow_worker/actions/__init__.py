"""The worker-safe actions, performed: what ``core.actions.BUILTIN_SPECS`` describes. Activity code; built by main."""

from workflow_worker.actions.builtin import builtin_actions

__all__ = ["builtin_actions"]
