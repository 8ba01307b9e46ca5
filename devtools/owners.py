"""`./dev owners`: who should poll each queue, and who does. Host process only."""

from devtools.console import table
from devtools.errors import DevError
from devtools.stack import record
from devtools.stack.readiness import get_json

_HEALTHY = {"OWNED", "EXTERNAL"}


def owners() -> int:
    """Print queue, owner, live pollers and verdict; 1 when a queue is not polled by its owner alone."""
    stack = record.load()
    if stack is None:
        raise DevError("nothing of this checkout runs: start it with ./dev up")
    port = stack.ports["WORKFLOW_SERVER_HTTP_PORT"]
    try:
        status, body = get_json(port, "/api/ownership")
    except OSError as error:
        raise DevError(f"workflow-server does not answer on port {port} ({error}): run ./dev up") from None
    if status != 200:
        raise DevError(f"workflow-server answers {status}: {body.get('detail') if isinstance(body, dict) else body}")
    rows = [
        [
            entry["queue"],
            entry["owner"] or "-",
            " ".join(poller["image"] or poller["identity"] for poller in entry["pollers"]) or "-",
            entry["verdict"],
            entry["detail"],
        ]
        for entry in body["queues"]
    ]
    print(table(["QUEUE", "OWNER", "POLLED BY", "VERDICT", "WHAT IT MEANS"], rows))
    return 0 if all(entry["verdict"] in _HEALTHY for entry in body["queues"]) else 1
