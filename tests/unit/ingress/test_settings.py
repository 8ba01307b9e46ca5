"""The public face of the ingress and its settings."""

import pytest
from pydantic import ValidationError

import workflow_runtime.store.events
import workflow_runtime.store.waits
import workflow_worker.ingress
from workflow_runtime.core.contract import DEFAULT_CORRELATION_PATHS, EVENT_CONSUMER_GROUP
from workflow_worker.ingress import IngressSettings


def test_defaults_are_the_wire_contract() -> None:
    settings = IngressSettings()
    assert settings.consumer_group == EVENT_CONSUMER_GROUP
    assert settings.correlation_paths == DEFAULT_CORRELATION_PATHS
    assert settings.retention_seconds == 24 * 60 * 60


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        IngressSettings.model_validate({"retention": 5})


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (
            workflow_worker.ingress,
            "GatewayOutageError Ingress IngressSettings IngressStatus RunGateway RunStart StartOutcome build_ingress",
        ),
        (workflow_runtime.store.waits, "Wait WaitIndex event_signal"),
        (
            workflow_runtime.store.events,
            "Acceptance AuditEntry Claim Considered DeadLetter DeadLetters EventBusyError EventIntake EventLedger "
            "EventPage EventSource EventStatus EventStream Explanation Hold IncomingEvent LedgerEvent LetterPage "
            "MalformedEventError Message NewEvent Pass Presence ReadResult ReadState ReadyQueue Redriven Refusal "
            "Retried StreamLag Sweep Target TargetStatus UnknownDeadLetterError UnknownEventError Wait WaitTaken "
            "accept_event event_fields explain group_is_missing iso_ms parse_fields parse_pairs publish "
            "tenants_of_event tenants_with_events",
        ),
    ],
)
def test_a_package_exports_what_it_promises(package: object, names: str) -> None:
    assert sorted(vars(package)["__all__"]) == sorted(names.split())
