"""Checks of the places a step writes to. Private to ``core.validation``."""

from collections.abc import Iterable
from typing import Any, Final

from workflow_runtime.core.assign import parse_target
from workflow_runtime.core.didyoumean import did_you_mean
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.payload_schema import Presence, property_names, property_schema
from workflow_runtime.core.validation._report import Place

_READ_ONLY: Final = ("local", "system")
"""Scopes that no step writes to: what looks like one of them in a target is a variable of that name."""


def check_targets(place: Place, field: str, paths: Iterable[str], payload_schema: Any) -> None:
    """Every path leads somewhere; one into the payload that its schema does not know is worth a warning, and so is one
    that seems to write where nothing is written."""
    for path in paths:
        try:
            target = parse_target(path)
        except ValidationFailure as failure:
            place.error(FindingCode.INVALID_ASSIGN_PATH, f"{field}: {failure.message}")
            continue
        if target.scope == "vars" and path.strip().partition(".")[0] in _READ_ONLY:
            _warn_of_variable(place, field, path, target.keys)
        if target.scope == "payload" and payload_schema is not None:
            _check_payload(place, field, path, target.keys, payload_schema)


def _warn_of_variable(place: Place, field: str, path: str, keys: tuple[str, ...]) -> None:
    read = "vars." + ".".join(keys)
    message = f"{field}: {path!r} makes a variable; the scope {keys[0]!r} cannot be written, and hides it."
    place.warning(
        FindingCode.ASSIGN_PATH_UNKNOWN, message, f"Expressions find it as {read}; write that, or choose a name."
    )


def _check_payload(place: Place, field: str, path: str, keys: tuple[str, ...], schema: Any) -> None:
    presence, _ = property_schema(schema, keys)
    _, parent = property_schema(schema, keys[:-1])
    known = property_names(parent) if parent is not None else ()
    # An open schema that names no property there knows nothing that the path could miss.
    if presence is Presence.KNOWN or (presence is Presence.UNKNOWN and not known):
        return
    hint = did_you_mean(keys[-1], known)
    place.warning(FindingCode.ASSIGN_PATH_UNKNOWN, f"{field}: the payload schema does not know {path!r}.", hint)
