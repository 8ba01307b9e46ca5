"""Writes the files that say who an image is as a tree, for tools that make layers themselves. Runs inside a Nix build.

Document: ``{version, manifest, digest}``: what ``/etc/workflow-runtime/image.json`` says.
"""

from document import output, read_document
from image import identity_files, identity_json


def main() -> None:
    """Write accounts and image.json below the output."""
    document = read_document()
    identity = identity_json(document["manifest"], document["digest"])
    for name, content in identity_files(identity).items():
        path = output() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
