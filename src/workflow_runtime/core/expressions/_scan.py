"""One pass over the text of an expression before any parser sees it. Private to ``core.expressions``.

It makes the two spellings we add to JSONata standard (``==`` for ``=``, ``len(x)`` for ``$len(x)``), blanks comments,
and bounds size and nesting, so that the recursive parser behind it can run out of neither stack nor time. Both parsers
get the same rewritten text, so nothing that this pass misjudges can reach the engine unseen.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions._functions import ALLOWED_FUNCTIONS

MAX_LENGTH: Final = 16_384
"""Characters an expression may have."""

MAX_WEIGHT: Final = 400
"""Bound on the parser's recursion: each open bracket and each operator of a chain weighs about what it costs in
calls."""

MAX_DEFAULTS: Final = 5
"""How deep ``?:`` and ``??`` may stand inside each other's brackets: the parser visits their left side twice."""

_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\n\r]+)
    | (?P<comment>/\*.*?\*/)
    | (?P<quoted>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `[^`]*`)
    | (?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)
    | (?P<equals>==)
    | (?P<operator>\.\. | := | != | >= | <= | \*\* | ~> | \?: | \?\? | [.\[\]{}(),@\#;:?+\-*/%|=<>^&!~])
    | (?P<name>[^ \t\n\r.\[\]{}(),@\#;:?+\-*/%|=<>^&!~"'`][^ \t\n\r.\[\]{}(),@\#;:?+\-*/%|=<>^&!~]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
# Atomic: a comment could otherwise end at the end of any later one, and all the ways to divide them would be tried.
_CALL: Final = re.compile(r"(?>(?:[ \t\n\r]++|(?>/\*.*?\*/))*+)\(", re.DOTALL)
_WEIGHTS: Final = {"(": 6, "[": 6, "{": 6, "?": 4, "-": 4, ":=": 4, "?:": 4, "??": 4, "~>": 4}
_WORD_OPERATORS: Final = frozenset({"and", "or", "in"})
_DEFAULTS: Final = frozenset({"?:", "??"})


@dataclass(frozen=True, slots=True)
class Scanned:
    """The rewritten text and where characters were inserted, so that positions can be told in the author's text."""

    text: str
    inserted: tuple[int, ...]

    def original(self, position: int) -> int:
        """The place in the author's text of a place in the rewritten one."""
        return position - bisect_right(self.inserted, position)


def scan(source: str) -> Scanned:
    """Rewrites ``source``. Raises ``ExpressionFailure`` (TOO_LONG, TOO_DEEP) when it is beyond the bounds."""
    if len(source) > MAX_LENGTH:
        raise ExpressionFailure(
            f"The expression has {len(source)} characters, {MAX_LENGTH} are allowed; split it over several steps.",
            code="TOO_LONG",
        )
    rewriter = _Rewriter(source)
    for token in _TOKEN.finditer(source):
        rewriter.take(token)
    return Scanned("".join(rewriter.parts), tuple(rewriter.inserted))


class _Rewriter:
    def __init__(self, source: str) -> None:
        self.parts: list[str] = []
        self.inserted: list[int] = []
        self._source = source
        self._before = ""
        self._nesting = _Nesting()

    def take(self, token: re.Match[str]) -> None:
        text, kind = token.group(), token.lastgroup
        if kind == "comment":
            self.parts.append(" " * len(text))
        elif kind == "equals":
            # As long as what it replaces, so that positions stay.
            self.parts.append("= ")
            self._nesting.operator("=")
        elif kind == "name" and self._is_bare_call(text, token.end()):
            self.inserted.append(token.start() + len(self.inserted))
            self.parts.append(f"${text}")
        else:
            self.parts.append(text)
            if kind == "operator" or text in _WORD_OPERATORS:
                self._nesting.operator(text)
        if kind not in ("space", "comment"):
            self._before = text

    def _is_bare_call(self, name: str, end: int) -> bool:
        if name not in ALLOWED_FUNCTIONS or self._before == ".":
            return False
        return self._before == "~>" or _CALL.match(self._source, end) is not None


@dataclass(slots=True)
class _Group:
    """What stands in one pair of brackets so far."""

    chain: int = 0
    dots: int = 0
    has_default: bool = False
    inner_defaults: int = 0

    @property
    def weight(self) -> int:
        return self.chain + self.dots

    @property
    def defaults(self) -> int:
        return self.inner_defaults + self.has_default


class _Nesting:
    """Estimates how deep the parser must recurse, as the sum over the open brackets."""

    def __init__(self) -> None:
        self._groups = [_Group()]
        self._outer_weight = 0

    def operator(self, text: str) -> None:
        group = self._groups[-1]
        if text == ".":
            group.dots += 1
        elif text in (",", ";"):
            group.chain = group.dots = 0
        elif text in ")]}":
            self._close(group)
        else:
            # A path ends where another operator begins; only the longest counts, and a chain is never shorter than it.
            group.dots = 0
            group.chain += _WEIGHTS.get(text, 1)
            group.has_default |= text in _DEFAULTS
            if text in "([{":
                self._outer_weight += group.weight
                self._groups.append(_Group())
        self._check()

    def _close(self, group: _Group) -> None:
        if len(self._groups) == 1:
            return
        self._groups.pop()
        outer = self._groups[-1]
        self._outer_weight -= outer.weight
        # What follows the bracket chains on: a[0][1], f(x)(y).
        outer.chain -= 5
        outer.inner_defaults = max(outer.inner_defaults, group.defaults)

    def _check(self) -> None:
        group = self._groups[-1]
        if self._outer_weight + group.weight > MAX_WEIGHT or group.defaults > MAX_DEFAULTS:
            raise ExpressionFailure(
                "The expression nests too deeply or chains too many operators; split it over several steps.",
                code="TOO_DEEP",
            )
