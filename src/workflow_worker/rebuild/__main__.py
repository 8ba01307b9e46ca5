"""``python -m workflow_worker.rebuild [--tenant T] [--run ID]``: rebuilds projections. A process of its own.

It takes the settings of workflow-worker and may run beside it. Exit codes: 0 all stands as Temporal tells it, 1 a run
was left alone or a dependency failed, 2 misuse.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import aclosing

from redis.exceptions import RedisError
from temporalio.service import RPCError

from workflow_runtime.service import logging
from workflow_runtime.service.connect import connect_both, open_redis
from workflow_runtime.service.errors import ServiceError, StartupError
from workflow_runtime.service.image import read_manifest, worker_identity
from workflow_runtime.service.ownership import WORKFLOW_WORKER
from workflow_runtime.service.settings import ProcessSettings, read_settings
from workflow_worker.rebuild.survey import Report, rebuild_all, rebuild_one


def main(argv: Sequence[str]) -> int:
    """Rebuild and say what became of it; one line on stderr when that was not possible."""
    options = _parser().parse_args(argv)
    try:
        report = asyncio.run(_rebuild(options.tenant, options.run))
    except ServiceError as error:
        sys.stderr.write(f"rebuild: {error}\n")
        return error.exit_code
    for left in report.left:
        sys.stdout.write(f"{left}\n")
    for run_id in report.restored:
        sys.stdout.write(f"run {run_id!r} restored\n")
    sys.stdout.write(f"{report.summary}\n")
    return 1 if report.left else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workflow_worker.rebuild",
        description="Rebuild rows, timelines, tasks and open waits of runs from their histories in Temporal.",
    )
    parser.add_argument("--tenant", metavar="TENANT", help="only the runs of this tenant")
    parser.add_argument("--run", metavar="ID", help="only this run")
    return parser


async def _rebuild(tenant: str | None, run_id: str | None) -> Report:
    settings, report = read_settings(ProcessSettings), Report()
    image = read_manifest(settings.workflow_runtime_image_json, process=WORKFLOW_WORKER)
    logging.configure("WARNING", image)
    try:
        async with aclosing(open_redis(settings)) as redis:
            client = await connect_both(settings, redis, identity=f"rebuild/{worker_identity(image)}")
            if run_id is not None:
                await rebuild_one(client, redis, run_id, tenant, report)
            else:
                await rebuild_all(client, redis, tenant, report)
    except* (RPCError, RedisError, OSError) as errors:
        raise StartupError(f"{report.summary}, then {_first(errors)}; repeat the command") from None
    return report


def _first(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of Temporal's client may still be letting go of Python objects, which crashes an interpreter that ends.
    os._exit(code)
