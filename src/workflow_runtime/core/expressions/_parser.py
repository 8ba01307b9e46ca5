"""The parser of jsonata-python without what importing that library does. Private to ``core.expressions``.

Importing it raises the recursion limit of the whole process to 10,000. Our texts are bounded so that they need no such
thing (``_scan``), so the library is imported at first use, with the limit put back: core changes nothing for anybody.
"""

import sys
from functools import cache
from typing import Any


def parse(text: str) -> Any:
    """The syntax tree of ``text``. Raises what the library raises."""
    return _parser()().parse(text)


@cache
def _parser() -> Any:
    limit = sys.getrecursionlimit()
    from jsonata.parser import Parser

    sys.setrecursionlimit(limit)
    return Parser
