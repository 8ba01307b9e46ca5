"""The Temporal sandbox all our workflow code runs in, and the whole list of what passes through it. Process code only.

A module that does not pass through is imported again for every workflow run and is restricted while it runs. Temporal
itself passes the standard library (restricted member by member), pydantic and its own packages. We add:

- ``workflow_runtime.core``: pure by the image build's boundary check (no I/O, clock, randomness, thread or
  environment), and expensive to import once per run. With it pass the wheels it computes with, because a Rust extension
  cannot be initialised twice and a parser's tables need not be built twice:
- ``jlens`` and ``jsonata`` (expressions) and ``jsonschema_rs`` (schemas).

A worker adds modules of its own: records, and workflow code that keeps nothing at module level, all of it declared as
workflow code so that the image build proves it pure. What needs more has I/O in it, and that belongs in an activity.
"""

from collections.abc import Iterable
from typing import Final

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSTHROUGH: Final = ("workflow_runtime.core", "jlens", "jsonata", "jsonschema_rs")


def workflow_runner(passed_modules: Iterable[str] = ()) -> SandboxedWorkflowRunner:
    """A sandboxed runner with the default restrictions, the list above and a worker's own modules."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSTHROUGH, *passed_modules)
    return SandboxedWorkflowRunner(restrictions=restrictions)
