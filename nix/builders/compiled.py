"""Copies a tree of Python files and adds their byte code, so that they start sooner. Runs inside a Nix build.

Document: ``{version, source}``.
"""

from pathlib import Path

from document import fail, output, read_document
from trees import compile_tree, copy_tree


def main() -> None:
    """Copy, then compile; builders that do not compile are a mistake."""
    tree = output()
    copy_tree(Path(read_document()["source"]), tree)
    broken = compile_tree(tree)
    if broken:
        fail(f"builders do not compile: {', '.join(broken)}")


if __name__ == "__main__":
    main()
