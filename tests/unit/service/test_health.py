"""The health port over real HTTP."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from workflow_runtime.service import health as health_module
from workflow_runtime.service.errors import StartupError
from workflow_runtime.service.health import Health, serve_health
from workflow_runtime.service.image import ImageManifest
from workflow_runtime.service.metrics import new_registry

IMAGE = ImageManifest(name="workflow-worker", digest="sha256:12", queues=("q",), consumer_groups=("g",))


def new_health() -> Health:
    return Health(IMAGE, new_registry(IMAGE))


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def _ask(port: int, path: str) -> tuple[int, Any]:
    status, body = await asyncio.to_thread(_get, f"http://127.0.0.1:{port}{path}")
    return status, json.loads(body)


async def _ok() -> tuple[bool, str]:
    return True, "fine"


async def _bad() -> tuple[bool, str]:
    return False, "broken"


async def _raises() -> tuple[bool, str]:
    raise ValueError("no connection")


async def _hangs() -> tuple[bool, str]:
    await asyncio.Event().wait()
    return True, "never"


async def test_a_starting_process_is_alive_and_not_ready() -> None:
    health = new_health()
    health.add("ok", _ok)
    async with serve_health(health, host="127.0.0.1", port=0) as port:
        assert (await _ask(port, "/livez"))[0] == 200
        assert (await _ask(port, "/readyz"))[0] == 503


@pytest.mark.parametrize("path", ["/readyz", "/health"])
async def test_readiness_follows_its_checks_and_ends_with_draining(path: str) -> None:
    health = new_health()
    health.add("ok", _ok)
    health.serving()
    async with serve_health(health, host="127.0.0.1", port=0) as port:
        status, body = await _ask(port, path)
        assert (status, body["status"], body["checks"]) == (200, "ready", {"ok": {"ok": True, "detail": "fine"}})
        assert (body["image"], body["digest"], body["queues"], body["consumerGroups"]) == (
            "workflow-worker",
            "sha256:12",
            ["q"],
            ["g"],
        )
        health.add("bad", _bad)
        status, body = await _ask(port, path)
        assert (status, body["checks"]["bad"]["detail"], body["checks"]["ok"]["ok"]) == (503, "broken", True)


async def test_draining_is_not_ready_whatever_the_checks_say() -> None:
    health = new_health()
    health.add("ok", _ok)
    health.serving()
    health.draining()
    async with serve_health(health, host="127.0.0.1", port=0) as port:
        status, body = await _ask(port, "/readyz")
        assert (status, body["phase"], body["checks"]["ok"]["ok"]) == (503, "draining", True)


async def test_a_check_that_raises_or_hangs_counts_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "CHECK_SECONDS", 0.05)
    health = new_health()
    health.add("raises", _raises)
    health.add("hangs", _hangs)
    health.serving()
    ready, report = await health.report()
    assert not ready
    assert report["checks"]["raises"] == {"ok": False, "detail": "ValueError: no connection"}
    assert report["checks"]["hangs"] == {"ok": False, "detail": "no answer within 0.05 s"}


async def test_metrics_tell_the_build() -> None:
    async with serve_health(new_health(), host="127.0.0.1", port=0) as port:
        status, text = await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/metrics")
    assert status == 200
    assert 'workflow_build_info{digest="sha256:12",image="workflow-worker"} 1.0' in text


async def test_a_taken_port_is_said_in_one_line() -> None:
    async with serve_health(new_health(), host="127.0.0.1", port=0) as port:
        with pytest.raises(StartupError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serve_health(new_health(), host="127.0.0.1", port=port):
                pass
