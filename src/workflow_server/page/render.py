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
    **dict.fromkeys(("FAILED", "TIMED_OUT", "STRANGER_ONLY", "SHARED_WITH_STRANGER"), "bad"),
}

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
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
    return status.replace("_", " ").capitalize()


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
    for function in (short_id, short_time, took, trigger_words, pretty_json):
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
