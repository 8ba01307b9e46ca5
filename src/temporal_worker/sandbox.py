"""What of this package passes through the workflow sandbox: modules of pure records. Process code only."""

from typing import Final

PASSED_MODULES: Final = ("temporal_worker.jobs",)
