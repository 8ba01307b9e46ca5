"""What is wrong with a definition, said to its author: findings and their codes. Importable anywhere; pure data.

Source of the codes: RUNTIME.md section 10. One answer carries all findings, errors and warnings alike.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from workflow_runtime.core.wire import WireModel


class FindingCode(StrEnum):
    """Stable names that callers may match on."""

    INVALID_WORKFLOW_DEFINITION = "INVALID_WORKFLOW_DEFINITION"
    DUPLICATE_STEP_ID = "DUPLICATE_STEP_ID"
    UNKNOWN_NODE_TYPE = "UNKNOWN_NODE_TYPE"
    INVALID_CONFIG = "INVALID_CONFIG"
    UNSUPPORTED_OPTION = "UNSUPPORTED_OPTION"
    UNKNOWN_ACTION = "UNKNOWN_ACTION"
    MISSING_REQUIRED_MAPPING = "MISSING_REQUIRED_MAPPING"
    EMPTY_EXPRESSION = "EMPTY_EXPRESSION"
    INVALID_EXPRESSION = "INVALID_EXPRESSION"
    INVALID_ASSIGN_PATH = "INVALID_ASSIGN_PATH"
    INVALID_SECRET_NAME = "INVALID_SECRET_NAME"
    SECRET_NOT_FOUND = "SECRET_NOT_FOUND"
    EVENT_WAIT_UNCORRELATABLE = "EVENT_WAIT_UNCORRELATABLE"
    UNKNOWN_PAYLOAD_SCHEMA_REF = "UNKNOWN_PAYLOAD_SCHEMA_REF"
    UNKNOWN_TRIGGER_EVENT = "UNKNOWN_TRIGGER_EVENT"
    TRIGGER_MAPPING_REQUIRED = "TRIGGER_MAPPING_REQUIRED"
    MAPPING_TYPE_INCOMPATIBLE = "MAPPING_TYPE_INCOMPATIBLE"
    TIME_TRIGGER_RUN_AT_REQUIRED = "TIME_TRIGGER_RUN_AT_REQUIRED"
    TIME_TRIGGER_INVALID_RUN_AT = "TIME_TRIGGER_INVALID_RUN_AT"
    TIME_TRIGGER_INVALID_CRON = "TIME_TRIGGER_INVALID_CRON"
    TIME_TRIGGER_INVALID_TIMEZONE = "TIME_TRIGGER_INVALID_TIMEZONE"
    CALL_WORKFLOW_UNKNOWN = "CALL_WORKFLOW_UNKNOWN"
    CALL_WORKFLOW_CYCLE = "CALL_WORKFLOW_CYCLE"
    ASSIGN_PATH_UNKNOWN = "ASSIGN_PATH_UNKNOWN"
    UNREACHABLE_STEP = "UNREACHABLE_STEP"


class Finding(WireModel):
    """One problem: what happened, where (``root`` for the whole definition), and what to do about it."""

    severity: Literal["error", "warning"]
    code: FindingCode
    step_id: str | None = None
    step_path: str
    message: str
    suggestion: str | None = None


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether anything in ``findings`` forbids publishing."""
    return any(finding.severity == "error" for finding in findings)
