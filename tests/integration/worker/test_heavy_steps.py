"""Much computing in a row: a run that computes for seconds without an effect ends all the same."""

import asyncio
from typing import Any

from tests.fixtures.authored import PATIENCE_SECONDS, Authored, assign


async def test_a_loop_of_heavy_expressions_ends(authored: Authored) -> None:
    heavy = assign("count", **{"found": "len(payload.numbers[$ in $$.payload.numbers])"})
    loop: dict[str, Any] = {
        "id": "loop",
        "type": "control.forEach",
        "items": {"$expr": str(list(range(130)))},
        "itemVar": "n",
        "body": [heavy],
    }
    async with authored.serving(), asyncio.timeout(PATIENCE_SECONDS):
        handle = await authored.start(await authored.publish(loop), {"numbers": list(range(3_000))})
        assert (await handle.result())["vars"]["found"] == 3_000
