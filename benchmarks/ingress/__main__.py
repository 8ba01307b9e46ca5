"""Measures event delivery: ``python3 -m benchmarks.ingress [PART …]``. Needs redis-server and temporal on PATH.

The parts are start and signal (events per second), latency (at half that load), replicas, recovery and memory; all of
them take about five minutes. The first three stand beside the bare loop on the same two servers in the same run:
XREADGROUP, then start_workflow or signal, then XACK, as many at once, without ledger, deduplication, order and retries.
No workflow worker runs, so that delivery alone is measured.
"""

import asyncio
import logging
import sys

import structlog
from devtools.console import step, table

from benchmarks.ingress.parts import PARTS
from benchmarks.ingress.stand import running_stand


async def main(names: list[str]) -> None:
    """Measure the parts one after the other, print one table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows = []
    async with running_stand() as stand:
        for name in names:
            part = PARTS[name]
            step((part.__doc__ or name).partition("\n")[0])
            rows += await part(stand)
    print(table(["MEASURED", "INGRESS", "BARE LOOP", "RATIO"], rows))


if __name__ == "__main__":
    chosen = [name.lower() for name in sys.argv[1:]] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.stderr.write(f"benchmark: no part {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        raise SystemExit(2)
    asyncio.run(main(chosen))
