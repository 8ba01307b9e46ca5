"""The parser of jsonata-python without what importing that library does. Private to ``core.expressions``.

Importing it raises the recursion limit of the whole process to 10,000. Our texts are bounded so that they need no such
thing (``_scan``), and core changes nothing for anybody by being imported.
"""

import sys

_LIMIT = sys.getrecursionlimit()

from jsonata.parser import Parser  # noqa: E402  # the limit must be known before the import changes it

sys.setrecursionlimit(_LIMIT)

__all__ = ["Parser"]
