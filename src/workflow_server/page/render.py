"""Templates of the operator page, and the headers that keep a browser from loading anything else. Process code only."""

import functools
import hashlib
import importlib.resources
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from workflow_server.page.timeline import duration

_TONES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("SUCCEEDED", "RESOLVED", "MATCHED", "DELIVERED", "COMPLETED", "OWNED", "published"), "good"),
    **dict.fromkeys(("RUNNING", "STARTED", "ROUTING", "TRYING", "PENDING", "EXTERNAL"), "busy"),
    **dict.fromkeys(
        ("WAITING", "RETRY_SCHEDULED", "RETRYING", "BEHIND", "QUEUED", "OPEN", "NOT_POLLED", "paused", "UNMATCHED"),
        "wait",
    ),
    **dict.fromkeys(("FAILED", "TIMED_OUT", "RETRIED", "STRANGER_ONLY", "SHARED_WITH_STRANGER", "PASSED_OVER"), "bad"),
}

_WORDS: Final[Mapping[str, str]] = {"api": "API", "RETRIED": "Failed, tried again"}

_FIRST_KEYS: Final = ("id", "version", "type", "name", "description", "payloadSchemaRef", "trigger", "condition")
_LAST_KEYS: Final = frozenset({"config", "steps", "then", "else", "body", "try", "catch"})

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # Not "no-referrer": a browser would then keep the origin of our own forms to itself.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def tone(status: str | None) -> str:
    """Colour family of a status: good, busy, wait, bad, or nothing."""
    return _TONES.get(status or "", "")


def words(status: str) -> str:
    """A status as words.

    >>> words("RETRY_SCHEDULED")
    'Retry scheduled'
    """
    return _WORDS.get(status) or status.replace("_", " ").capitalize()


def sentence(text: str) -> str:
    """``text`` as a sentence of its own.

    >>> sentence("it gives up at noon")
    'It gives up at noon.'
    """
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def link(path: str, tenant: str, query: Mapping[str, Any] | None = None) -> str:
    """The address of another page of the same tenant.

    >>> link("/runs/a b", "acme", {"status": "FAILED"})
    '/runs/a%20b?tenant=acme&status=FAILED'
    """
    return f"{quote(path)}?{urlencode({'tenant': tenant, **(query or {})})}"


def short_id(text: str) -> str:
    """Enough of a UUID to recognise it; other ids as they are."""
    return text[:13] if len(text) == 36 and text.count("-") == 4 else text


def short_time(text: str) -> str:
    """``2025-03-03T10:00:01.250Z`` as ``3 Mar 10:00:01``, with the year when it is not this one."""
    moment = datetime.fromisoformat(text)
    year = "" if moment.year == datetime.now(UTC).year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M:%S}"


def took(run: Mapping[str, Any]) -> str:
    """How long a run took, or has been open."""
    begin = run.get("startedAt") or run.get("createdAt")
    if not begin:
        return "-"
    end = datetime.fromisoformat(run["endedAt"]) if run.get("endedAt") else datetime.now(UTC)
    return duration(max((end - datetime.fromisoformat(begin)).total_seconds() * 1000, 0)) or "-"


def trigger_words(trigger: Mapping[str, Any] | None) -> str:
    """What starts a definition."""
    match trigger:
        case {"type": "event", "eventName": name}:
            return f"event {name}"
        case {"type": "recurring", "cron": cron, "timezone": zone}:
            return f"{cron} ({zone})"
        case {"type": "schedule", "runAt": moment}:
            return f"once at {moment}"
    return "API only"


def authored_json(definition: Any) -> str:
    """A definition as a person would write it: names first, contents last."""
    return pretty_json(_authored(definition))


def _authored(value: Any) -> Any:
    if isinstance(value, list):
        return [_authored(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    rank = {key: place for place, key in enumerate(_FIRST_KEYS)}
    last = len(rank)
    keys = sorted(value, key=lambda key: (last + 1 if key in _LAST_KEYS else rank.get(key, last), key))
    return {key: _authored(value[key]) for key in keys}


def pretty_json(value: Any) -> str:
    """Indented JSON; the template escapes it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("workflow_server"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (sentence, authored_json, short_id, short_time, took, trigger_words, pretty_json):
        environment.filters[function.__name__] = function
    environment.globals.update(link=link, tone=tone, words=words, css_version=_css_version())
    return environment


def html(template: str, http_status: int, **values: Any) -> Response:
    """A rendered page with its security headers."""
    text = _environment().get_template(template).render(**values)
    return HTMLResponse(text, status_code=http_status, headers=dict(HEADERS))


@functools.cache
def asset(name: str) -> bytes:
    """A file that the pages refer to."""
    return importlib.resources.files("workflow_server").joinpath("templates", name).read_bytes()


def _css_version() -> str:
    return hashlib.sha256(asset("page.css")).hexdigest()[:12]
