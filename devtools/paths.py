"""Where this checkout keeps things. Host process only."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".dev"
"""Everything the developer commands create in the checkout; ignored by git, safe to delete while nothing runs."""

DEBIAN = ROOT / "nix" / "toolchains" / "debian"
DEBIAN_LOCK = DEBIAN / "lock.json"
GC_ROOTS = STATE / "gcroots"
