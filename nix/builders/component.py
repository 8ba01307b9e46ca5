"""Builds one component of a closure: its tree in the store (``out``) and the same tree as an image layer (``layer``).

Document: ``{version, name, kind: "base" | "wheel" | "source", source, prefix, dropped: [path]}``. ``source`` is a
tree, a wheel or a directory of first-party packages; ``prefix`` is where the tree stands in an image; ``dropped`` are
paths of the wheel, below site-packages, that are left out. Runs inside a Nix build.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from document import fail, output, read_document
from tarlayer import write_layer
from trees import SITE_PACKAGES, TreeError, compile_tree, copy_tree, drop, unpack_wheel


def main() -> None:
    """Build the tree, then the layer from it."""
    document = read_document()
    tree = output()
    try:
        _build(document, tree)
    except TreeError as error:
        fail(str(error))
    layer_directory = output("layer")
    layer_directory.mkdir()
    layer = write_layer(tree, PurePosixPath(document["prefix"]), layer_directory / "layer.tar")
    description = {"name": document["name"], "kind": document["kind"], "diffId": layer.diff_id, "size": layer.size}
    (layer_directory / "layer.json").write_text(json.dumps(description, sort_keys=True))


def _build(document: dict[str, Any], tree: Path) -> None:
    source = Path(document["source"])
    if document["kind"] == "wheel":
        unpack_wheel(source, tree)
        drop(tree, document["dropped"])
        compile_tree(tree)
    elif document["kind"] == "base":
        copy_tree(source, tree)
        compile_tree(tree)
    else:
        copy_tree(source, tree / SITE_PACKAGES)
        broken = compile_tree(tree)
        if broken:
            fail(f"first-party files do not compile: {', '.join(broken)}")


if __name__ == "__main__":
    main()
