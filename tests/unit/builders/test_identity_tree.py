"""Who an image is, as files of a tree: the same files the image builder puts into its last layer."""

import json

from tests.unit.builders.conftest import Build

import identity_tree
from image import identity_files, identity_json


def test_manifest_and_digest_become_image_json(given: Build) -> None:
    output = given({"manifest": {"name": "worker", "queues": ["jobs"]}, "digest": "sha256:12"})["out"]

    identity_tree.main()

    identity = json.loads((output / "etc/workflow-runtime/image.json").read_text())
    assert identity == {"digest": "sha256:12", "name": "worker", "queues": ["jobs"]}


def test_tree_holds_the_files_of_an_image_layer_and_no_others(given: Build) -> None:
    manifest = {"name": "worker"}
    output = given({"manifest": manifest, "digest": "sha256:12"})["out"]

    identity_tree.main()

    written = {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}
    assert written == identity_files(identity_json(manifest, "sha256:12"))
    assert b"nonroot:x:65532:" in written["etc/passwd"]
