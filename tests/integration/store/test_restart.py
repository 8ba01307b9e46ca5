"""What was answered survives a Redis that dies without notice, and a Redis that lost its scripts."""

from contextlib import suppress
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from tests.fixtures.servers import DURABLE, running_redis
from tests.integration.store.builders import TENANT, action_request, published, record, run_row

from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.ledger import ActionLedger, LedgerVerdict
from workflow_runtime.store.runs import Runs


async def test_the_queue_of_starts_survives_a_crash_of_redis(tmp_path: Path) -> None:
    with running_redis(tmp_path, *DURABLE) as url:
        async with Redis.from_url(url, decode_responses=True) as client:
            catalog, runs = Catalog(client), Runs(client)
            await published(catalog)
            await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
            for run_id in ("r1", "r2", "r3"):
                await runs.admit(run_row(run_id, payload={"for": run_id}))
            await runs.apply_projections(TENANT, "r1", [record(1, "run", "r1", status="SUCCEEDED")])
            await ActionLedger(client).begin(action_request(), side_effectful=True)
            with suppress(RedisConnectionError):
                await client.shutdown(nosave=True, now=True, force=True)
    with running_redis(tmp_path, *DURABLE) as url:
        async with Redis.from_url(url, decode_responses=True) as client:
            runs = Runs(client)
            assert [row.run_id for row in await runs.release(TENANT, "follow-up", "r1")] == ["r2"]
            assert [row.run_id for row in await runs.waiting_starts(TENANT, "follow-up")] == ["r3"]
            assert await runs.payload(TENANT, "r3") == {"for": "r3"}
            verdict, _ = await ActionLedger(client).begin(action_request(), side_effectful=True)
            assert verdict is LedgerVerdict.UNKNOWN


async def test_scripts_the_server_forgot_are_loaded_again(redis_client: Redis) -> None:
    runs = Runs(redis_client)
    await runs.create_run(run_row("r1"))
    await redis_client.script_flush()
    assert await runs.create_run(run_row("r2"))
