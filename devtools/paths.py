"""Where this checkout keeps things. Host process only."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("WORKFLOW_DEV_STATE") or ROOT / ".dev").absolute()
"""Everything the developer commands create: stack record, data, logs, roots. Safe to delete while nothing runs.

``WORKFLOW_DEV_STATE`` names another directory, so that two stacks of one checkout can stand side by side.
"""

DEBIAN = ROOT / "nix" / "toolchains" / "debian"
DEBIAN_LOCK = DEBIAN / "lock.json"
GC_ROOTS = STATE / "gcroots"
