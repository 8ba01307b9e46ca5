"""`./dev rebuild-projections`: what Redis shows of runs, again from Temporal. Host process only.

The work is in workflow_worker.rebuild, which runs in the locked environment against the running stack.
"""

import os
import subprocess

from devtools import nixcli
from devtools.errors import DevError
from devtools.paths import ROOT
from devtools.stack import record


def rebuild(tenant: str | None, run: str | None) -> int:
    """Rebuild all runs, those of a tenant, or one; 0 when every one of them stands as Temporal tells it."""
    stack = record.load()
    if stack is None:
        raise DevError("nothing of this checkout runs: start it with ./dev up")
    environment = nixcli.build(["environment"])["environment"]
    places = {
        "REDIS_URL": f"redis://127.0.0.1:{stack.ports['REDIS_CLIENT_PORT']}/0",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{stack.ports['TEMPORAL_GRPC_PORT']}",
        "PYTHONPATH": str(ROOT / "src"),
    }
    chosen = [word for pair in (("--tenant", tenant), ("--run", run)) if pair[1] is not None for word in pair]
    argv = [str(environment / "bin" / "python3"), "-m", "workflow_worker.rebuild", *map(str, chosen)]
    return subprocess.run(argv, env={**os.environ, **places}, check=False).returncode
