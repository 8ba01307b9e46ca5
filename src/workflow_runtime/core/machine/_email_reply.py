"""The new part of an e-mail, without quoted history and signature. Pure; called from workflow code."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from workflow_runtime.core.machine._email_html import clean_html, html_to_text

_DELIMITER: Final = re.compile(r"reply above this line", re.IGNORECASE)
_WROTE: Final = re.compile(
    r"^(on|am|le|el|op|il)\s.{4,200}\s(wrote|schrieb|a écrit|escribió|schreef|ha scritto)\s?:$", re.I
)
_ORIGINAL: Final = re.compile(r"^-{2,}\s?(original message|forwarded message|ursprüngliche nachricht)\s?-{2,}$", re.I)
_HEADER: Final = re.compile(r"^\*?(from|von|de):\*?\s", re.IGNORECASE)
_HEADER_NEXT: Final = re.compile(r"^\*?(sent|date|to|subject|gesendet|an|betreff|envoyé|à|objet):\*?\s", re.IGNORECASE)
_MOBILE: Final = re.compile(r"^(sent from my |get outlook for |von meinem .{1,40} gesendet)", re.IGNORECASE)

_LONGEST_MARKER: Final = 400
"""Markers are short lines; longer ones are text, and are not searched."""


@dataclass(slots=True)
class _Reply:
    lines: list[str]
    heuristics: list[str] = field(default_factory=list)

    def cut(self, index: int, heuristic: str) -> None:
        self.lines = self.lines[:index]
        self.heuristics.append(heuristic)


def parse_body(text: str | None, html: str | None) -> dict[str, Any]:
    """``{sanitizedText, sanitizedHtml, confidence, strategy, appliedHeuristics, warnings}`` of an e-mail body.

    ``strategy`` is the first heuristic that cut something, or ``whole-message``; ``confidence`` is ``high`` for our own
    delimiter, ``medium`` for a client's quote header, else ``low``. The plain text wins over the HTML. The
    HTML that comes back holds allow-listed elements and attributes only, without quotes.
    """
    source = text if text and text.strip() else html_to_text(html or "")
    reply = _Reply([line.rstrip() for line in source.splitlines()])
    _cut_history(reply)
    _cut_trailing_quotes(reply)
    _cut_signature(reply)
    cleaned = "\n".join(reply.lines).strip()
    warnings = [] if cleaned else ["nothing is left once quotes and signature are removed"]
    return {
        "sanitizedText": cleaned,
        "sanitizedHtml": clean_html(html) if html else None,
        "strategy": reply.heuristics[0] if reply.heuristics else "whole-message",
        "confidence": _confidence(reply.heuristics),
        "appliedHeuristics": reply.heuristics,
        "warnings": warnings,
    }


def _cut_history(reply: _Reply) -> None:
    for index, line in enumerate(reply.lines):
        heuristic = _history_marker(line.strip(), reply.lines, index)
        if heuristic is not None:
            reply.cut(index, heuristic)
            return


def _history_marker(line: str, lines: list[str], index: int) -> str | None:
    if not line or len(line) > _LONGEST_MARKER:
        return None
    following = lines[index + 1].strip()[:_LONGEST_MARKER] if index + 1 < len(lines) else ""
    if _DELIMITER.search(line):
        return "delimiter"
    if _WROTE.match(line) or _WROTE.match(f"{line} {following}"):
        return "reply-header"
    if _ORIGINAL.match(line):
        return "original-message"
    if _HEADER.match(line) and _HEADER_NEXT.match(following):
        return "header-block"
    return None


def _cut_trailing_quotes(reply: _Reply) -> None:
    end = len(reply.lines)
    while end and (not reply.lines[end - 1] or reply.lines[end - 1].lstrip().startswith(">")):
        end -= 1
    if any(line.lstrip().startswith(">") for line in reply.lines[end:]):
        reply.cut(end, "quoted-lines")


def _cut_signature(reply: _Reply) -> None:
    for index, line in enumerate(reply.lines):
        if line in ("--", "-- ") or _MOBILE.match(line[:_LONGEST_MARKER]):
            reply.cut(index, "signature")
            return


def _confidence(heuristics: list[str]) -> str:
    if "delimiter" in heuristics:
        return "high"
    return "medium" if {"reply-header", "original-message", "header-block"} & set(heuristics) else "low"
