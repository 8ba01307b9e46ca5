"""The command line: ``python -m boundary --manifest FILE [--format text|json|sarif]``. Build process.

Exit codes: 0 no violation (warnings and notes may be there), 1 violations, 2 misuse, with one line on stderr.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from boundary.cache import Cache
from boundary.check import check_images
from boundary.manifest import ManifestError, load_manifest
from boundary.report_json import render_json
from boundary.report_sarif import render_sarif
from boundary.report_text import render_text

_FORMATS: Final = {"text": render_text, "json": render_json, "sarif": render_sarif}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"boundary: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check every manifest of the command line and print one report. Returns the exit code."""
    parser = _Parser(prog="boundary", description="Prove that an image's code stays inside its declared closure.")
    parser.add_argument("--manifest", action="append", required=True, metavar="FILE", help="one image; may be repeated")
    parser.add_argument("--format", choices=tuple(_FORMATS), default="text")
    parser.add_argument("--cache", metavar="DIR", help="where to keep the results of unchanged images")
    options = parser.parse_args(arguments)
    try:
        manifests = [load_manifest(path) for path in options.manifest]
    except ManifestError as error:
        print(error, file=sys.stderr)
        return 2
    results = check_images(manifests, Cache(Path(options.cache) if options.cache else None))
    sys.stdout.write(_FORMATS[options.format](results))
    return int(any(result.refused for result in results))
