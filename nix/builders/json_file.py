"""Writes a part of its document as a JSON file. Runs inside a Nix build.

Document: ``{version, content}``.
"""

import json

from document import output, read_document


def main() -> None:
    """Write the content, keys sorted."""
    output().write_text(json.dumps(read_document()["content"], indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
