"""Measures the runtime: ``python3 -m benchmarks.runtime [A|Q|L|B|C|D|E|F …]``. Needs redis-server and temporal on PATH.

A throughput of actions (short ones are local activities, by hand all are activities), Q the same with all of them
activities, L with all of them local, B pure steps, C history, D signal to next step, E memory of waits, F two workers.
Every figure stands beside that of the same workflow written by hand in Python, on the same two servers in the same run,
by worker processes with the same options. Recording a run before it starts is the caller's work and not on the clock.
"""

import asyncio
import sys

from devtools.console import step, table

from benchmarks.runtime.parts import PARTS
from benchmarks.runtime.stand import running_stand


async def main(names: list[str]) -> None:
    """Measure the parts one after the other, print one table."""
    rows = []
    try:
        async with running_stand() as stand:
            for name in names:
                part = PARTS[name]
                step((part.__doc__ or name).partition("\n")[0])
                rows += await part(stand)
    finally:
        print(table(["MEASURED", "AUTHORED", "HANDWRITTEN", "RATIO"], rows))


if __name__ == "__main__":
    chosen = [name.upper() for name in sys.argv[1:]] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.stderr.write(f"benchmark: no part {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        raise SystemExit(2)
    asyncio.run(main(chosen))
