"""JavaScript regular expressions within a step budget, for the ``transform.regex_*`` actions. Pure; importable
anywhere.

The engine is the one that evaluates expressions: it backtracks, but counts its steps, so that no pattern can hang. What
it cannot do is refused and named: matches of nothing, the flags ``y`` and ``v``, and ``\\p{...}`` and ``\\u{...}``.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import jlens

from workflow_runtime.core.errors import ValidationFailure

MAX_PATTERN: Final = 2_000
"""Characters of a pattern."""

MAX_TEXT: Final = 100_000
"""Characters of a text."""

_MAX_STEPS: Final = 60_000
_MAX_COMPARED: Final = 150_000_000
"""Characters that steps with a backreference may compare: one such step may look at half of the text."""
_FLAGS: Final = frozenset("dgimsu")
_EMPTY_MATCH: Final = "D1004"
_BUDGET_CODES: Final = frozenset({"U1001", "U1006"})
_ANY: Final = r"[\s\S]"


@dataclass(frozen=True, slots=True)
class RegexMatch:
    """One match: ``start`` and ``end`` count UTF-16 units as JavaScript does; an unused group is None."""

    text: str
    start: int
    groups: tuple[str | None, ...]
    named: dict[str, str | None]

    @property
    def end(self) -> int:
        return self.start + utf16_length(self.text)


@dataclass(frozen=True, slots=True)
class _Pattern:
    program: jlens.Expression
    names: tuple[str | None, ...]
    refers_back: bool


def find_matches(pattern: str, flags: str, text: str, limit: int) -> list[RegexMatch]:
    """The first ``limit`` matches from left to right.

    Raises ``ValidationFailure``: REGEX_INVALID for a pattern or flags that cannot be used, REGEX_TOO_LONG,
    REGEX_TOO_SLOW when the budget ends first, REGEX_EMPTY_MATCH when the pattern matches nothing at some place.
    """
    if len(text) > MAX_TEXT:
        raise ValidationFailure(f"The text has {len(text)} characters, {MAX_TEXT} are allowed.", code="REGEX_TOO_LONG")
    compiled = _compile(pattern, flags)
    try:
        found: Any = compiled.program.evaluate({}, {"t": text, "n": limit}, max_steps=_steps(compiled, text))
    except jlens.JlensError as error:
        raise _run_failure(pattern, error) from error
    return [_match(item, compiled.names) for item in found["r"]]


def utf16_length(text: str) -> int:
    """Length as JavaScript counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


@lru_cache(maxsize=512)
def _compile(pattern: str, flags: str) -> _Pattern:
    if len(pattern) > MAX_PATTERN:
        raise ValidationFailure(
            f"The pattern has {len(pattern)} characters, {MAX_PATTERN} are allowed.", code="REGEX_TOO_LONG"
        )
    wrong = [flag for flag in flags if flag not in _FLAGS or flags.count(flag) > 1]
    if wrong:
        raise _invalid(pattern, f"the flag {wrong[0]!r} is unknown, repeated or not supported; use {_flag_list()}")
    translator = _Translator(pattern, dot_all="s" in flags)
    text = translator.run()
    engine_flags = "".join(flag for flag in "im" if flag in flags)
    try:
        program = jlens.Expression(f'{{"r":[$match($t,/{text}/{engine_flags},$n)]}}')
    except jlens.JlensError as error:
        raise _invalid(pattern, str(error)) from error
    return _Pattern(program, tuple(translator.names), translator.refers_back)


def _steps(compiled: _Pattern, text: str) -> int:
    return min(_MAX_STEPS, _MAX_COMPARED // max(len(text), 1)) if compiled.refers_back else _MAX_STEPS


class _Translator:
    """Rewrites a pattern into a JSONata regular expression, whose reader wants slashes escaped and brackets
    balanced."""

    def __init__(self, pattern: str, *, dot_all: bool) -> None:
        self.names: list[str | None] = []
        self.refers_back = False
        self._pattern = pattern
        self._dot = _ANY if dot_all else "."
        self._in_class = False

    def run(self) -> str:
        if not self._pattern:
            raise _invalid(self._pattern, "it is empty")
        parts: list[str] = []
        index = 0
        while index < len(self._pattern):
            size = 2 if self._pattern[index] == "\\" else 1
            parts.append(self._escape(index) if size == 2 else self._plain(index))
            index += size
        if self._in_class:
            raise _invalid(self._pattern, "a [ has no ]")
        return "".join(parts)

    def _escape(self, index: int) -> str:
        pair = self._pattern[index : index + 2]
        if len(pair) == 1:
            raise _invalid(self._pattern, "it ends with a backslash")
        if pair in (r"\p", r"\P") or self._pattern.startswith(r"\u{", index):
            raise _invalid(self._pattern, f"{pair}{{...}} is not supported")
        self.refers_back |= pair[1] in "123456789k"
        return _code(pair[1]) if pair[1] in "\\()[]{}/" else pair

    def _plain(self, index: int) -> str:
        char = self._pattern[index]
        if char == "/":
            return _code(char)
        if self._in_class:
            self._in_class = char != "]"
            return _code(char) if char in "([{})" else char
        if char == "[":
            self._in_class = True
        elif char == "(":
            self._open_group(index)
        return self._dot if char == "." else char

    def _open_group(self, index: int) -> None:
        rest = self._pattern[index + 1 : index + 4]
        if not rest.startswith("?"):
            self.names.append(None)
        elif rest.startswith("?<") and rest[2:3] not in ("=", "!"):
            name, _, _ = self._pattern[index + 3 :].partition(">")
            self.names.append(name)


def _code(char: str) -> str:
    return f"\\u{ord(char):04x}"


def _match(item: Any, names: tuple[str | None, ...]) -> RegexMatch:
    groups = tuple(item["groups"])
    named = {name: group for name, group in zip(names, groups, strict=False) if name is not None}
    return RegexMatch(text=item["match"], start=item["index"], groups=groups, named=named)


def _run_failure(pattern: str, error: jlens.JlensError) -> ValidationFailure:
    if error.code == _EMPTY_MATCH:
        return ValidationFailure(
            f"The pattern {pattern!r} matches an empty text; make it require at least one character.",
            code="REGEX_EMPTY_MATCH",
        )
    if error.code in _BUDGET_CODES:
        return ValidationFailure(
            f"The pattern {pattern!r} needs too many steps on this text; avoid nested and leading repetitions.",
            code="REGEX_TOO_SLOW",
        )
    return _invalid(pattern, str(error))


def _invalid(pattern: str, reason: str) -> ValidationFailure:
    return ValidationFailure(f"The pattern {pattern!r} cannot be used: {reason.rstrip('.')}.", code="REGEX_INVALID")


def _flag_list() -> str:
    return ", ".join(sorted(_FLAGS))
