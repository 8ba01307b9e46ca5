"""Rebuilds what Redis shows of runs from their histories in Temporal. Process code only."""

from workflow_worker.rebuild.errors import RebuildError
from workflow_worker.rebuild.rebuilder import Rebuilder, Rebuilt

__all__ = ["RebuildError", "Rebuilder", "Rebuilt"]
