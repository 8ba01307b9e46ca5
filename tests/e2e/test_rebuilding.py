"""./dev rebuild-projections on the running stack: what the API shows of runs is made again from Temporal."""

import json
import urllib.request
from typing import Any

from redis import Redis
from tests.e2e.stack import RunningStack

TENANT = "default"


def test_what_the_api_shows_of_runs_is_rebuilt_from_temporal(stack: RunningStack) -> None:
    for example in ("examples/order-lines.json", "examples/ticket-follow-up.json"):
        done = stack.dev("run", example)
        assert done.returncode == 0, done.stdout + done.stderr
    before = _runs(stack)
    assert len(before) >= 2
    redis = Redis.from_url(f"redis://127.0.0.1:{stack.port(6379)}/0", decode_responses=True)
    for area in ("run:*", "runs", "runs:*"):
        for key in list(redis.scan_iter(f"wf:{{{TENANT}}}:{area}")):
            if not key.endswith(":ledger"):
                redis.delete(key)
    assert _runs(stack) == {}

    rebuilt = stack.dev("rebuild-projections", "--tenant", TENANT)

    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert f"{len(before)} runs: {len(before)} restored, 0 as they were, 0 left alone" in rebuilt.stdout
    assert _runs(stack) == before
    again = stack.dev("rebuild-projections", "--tenant", TENANT)
    assert f"{len(before)} runs: 0 restored, {len(before)} as they were, 0 left alone" in again.stdout


def _runs(stack: RunningStack) -> dict[str, Any]:
    """Every run with all of its detail, by id."""
    listed = _get(stack, "/api/runs?limit=100")["runs"]
    return {run["runId"]: _get(stack, f"/api/runs/{run['runId']}") for run in listed}


def _get(stack: RunningStack, path: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.port(8080)}{path}", headers={"X-Tenant-Id": TENANT, "Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
