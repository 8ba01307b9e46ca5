"""What of this package passes through the workflow sandbox. Process code only.

Modules of records, and workflow code that keeps nothing at module level: made anew for every run they would cost
milliseconds and half of a waiting run's memory, and change nothing. All of them are declared as workflow code in
``images/workflow-worker.nix``, so that the image build proves of every line what the sandbox would only meet at run
time. The workflow class itself stays inside.
"""

from typing import Final

PASSED_MODULES: Final = (
    "workflow_runtime.service.failures",
    "workflow_worker.action_calls",
    "workflow_worker.calls",
    "workflow_worker.carrying",
    "workflow_worker.mailbox",
    "workflow_worker.outbox",
    "workflow_worker.performing",
    "workflow_worker.pinned_actions",
    "workflow_worker.records",
    "workflow_worker.responses",
    "workflow_worker.starting",
)
