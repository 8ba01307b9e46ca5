"""The comment that declares what an undecidable line loads: ``# boundary: imports a.b, c.d``. Build process.

``# boundary: imports nothing`` says that the line loads no module: an ``eval`` of arithmetic, or a string that only
looks like a module. A comment belongs to the statement it stands on.
"""

import io
import re
import tokenize
from dataclasses import dataclass
from typing import Final

from boundary.sources import Module

NOTHING: Final = "nothing"
_MARK: Final = "boundary:"
_COMMENT = re.compile(r"#\s*boundary:\s*(?P<said>.*?)\s*$")
_IMPORTS = re.compile(r"imports\s+(?P<names>[\w.]+(\s*,\s*[\w.]+)*)")


@dataclass(frozen=True, slots=True)
class Comment:
    """One boundary comment. ``targets`` is empty for ``nothing``; ``problem`` says why it cannot be understood."""

    line: int
    text: str
    targets: tuple[str, ...]
    problem: str | None


def boundary_comments(module: Module) -> list[Comment]:
    """The boundary comments of a module. Strings that look like one do not count."""
    if _MARK not in module.text:
        return []
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type == tokenize.COMMENT and (match := _COMMENT.match(token.string)):
                found.append(_read(token.start[0], match["said"]))
    except (tokenize.TokenError, SyntaxError):
        return found
    return found


def _read(line: int, said: str) -> Comment:
    match = _IMPORTS.fullmatch(said)
    names = [name.strip() for name in match["names"].split(",")] if match else []
    if not all(part.isidentifier() for name in names for part in name.split(".")) or not names:
        return Comment(line, said, (), "it must read: # boundary: imports <module>[, <module>…]")
    if NOTHING in names:
        problem = None if len(names) == 1 else "'nothing' excludes other modules"
        return Comment(line, said, (), problem)
    return Comment(line, said, tuple(names), None)
