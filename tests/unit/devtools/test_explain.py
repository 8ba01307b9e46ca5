"""What `./dev explain` prints of an answer of the server."""

from typing import Any

import pytest
from devtools import __main__ as command_line
from devtools import explain

EVENT_ID = "0a3f1f8e-5f0b-4a0e-9a53-3b6a3c1e7f10"


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **changes: Any) -> str:
    """The output for an event that nobody wanted, with ``changes``, as one line."""
    event: dict[str, Any] = {
        "eventId": EVENT_ID,
        "eventName": "paid",
        "tenantId": "acme",
        "source": "api",
        "timestamp": "2026-01-31T09:30:00Z",
        "acceptedAt": "2026-01-31T09:30:00.000Z",
        "sequence": 1,
        "status": "DONE",
        "outcome": "UNMATCHED",
        "reason": "unmatched",
        "payload": {},
        **{name: [] for name in ("keys", "considered", "targets", "taken", "openWaits", "retries")},
    }

    class Server:
        """A server that knows this event only."""

        named = ""

        def get(self, *path: str, **_: object) -> Any:
            return {"tenants": ["acme"]} if path == ("tenants",) else event | changes

    monkeypatch.setattr(explain, "find_api", lambda _: Server())
    assert command_line.main(["explain", EVENT_ID]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_an_event_that_a_later_wait_took_went_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = {"runId": "run-1", "waitId": "w", "at": "2026-01-31T09:31:00.000Z"}
    said = printed(monkeypatch, capsys, outcome="MATCHED", reason=None, taken=[taken])
    assert "outcome MATCHED: it found what it is for" in said
    assert "where it went nowhere when it came; a wait that opened later took it" in said
    assert "which waits it resolved run run-1 at wait w" in said


def test_of_very_many_open_waits_some_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"id": "wait:r:w", "kind": "wait", "runId": "r", "matched": False, "reason": "another key"}
    said = printed(monkeypatch, capsys, openWaits=[row] * 25)
    assert "where it went nowhere what was" in said
    assert said.count("no match wait of run r: another key") == 20
    assert "… 5 more with --json" in said
