"""The archive of an image: both manifests describe the same blobs, and its identity covers everything in it."""

import hashlib
import io
import json
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from tests.unit.builders.conftest import Build

import image
from tarlayer import write_layer


class Built:
    """A finished image: its archive's entries, its parsed descriptions and its other outputs."""

    def __init__(self, paths: dict[str, Path]) -> None:
        with tarfile.open(paths["out"]) as tar:
            self.names = [entry.name for entry in tar if entry.isfile()]
            self.blobs = {name: self._content(tar, name) for name in self.names}
        self.meta = json.loads(paths["meta"].read_text())
        self.identity = json.loads(paths["identity"].read_text())
        self.archive = paths["out"].read_bytes()

    @staticmethod
    def _content(tar: tarfile.TarFile, name: str) -> bytes:
        content = tar.extractfile(name)
        assert content is not None
        return content.read()

    def blob(self, digest: str) -> bytes:
        return self.blobs[f"blobs/{digest.replace(':', '/')}"]

    @property
    def docker(self) -> dict[str, Any]:
        [manifest] = json.loads(self.blobs["manifest.json"])
        return dict(manifest)

    @property
    def oci(self) -> dict[str, Any]:
        [descriptor] = json.loads(self.blobs["index.json"])["manifests"]
        return dict(json.loads(self.blob(descriptor["digest"])))

    @property
    def config(self) -> dict[str, Any]:
        return dict(json.loads(self.blobs[self.docker["Config"]]))

    @property
    def last_layer(self) -> dict[str, tarfile.TarInfo]:
        with tarfile.open(fileobj=io.BytesIO(self.blobs[self.docker["Layers"][-1]])) as tar:
            return {entry.name: entry for entry in tar}


def _layer(directory: Path, name: str, content: str) -> str:
    tree = directory / f"{name}-tree"
    tree.mkdir(parents=True)
    (tree / "file").write_text(content)
    target = directory / name
    target.mkdir()
    layer = write_layer(tree, PurePosixPath(name), target / "layer.tar")
    description = {"name": name, "kind": "wheel", "diffId": layer.diff_id, "size": layer.size}
    (target / "layer.json").write_text(json.dumps(description))
    return str(target)


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """What Nix passes for a Python image of two layers."""
    return {
        "name": "worker",
        "arch": "amd64",
        "layers": [_layer(tmp_path, "base", "1"), _layer(tmp_path, "source", "2")],
        "volumes": ["/data"],
        "python": "3.13",
        "config": {
            "entrypoint": ["/app/bin/python3", "-I", "-m", "worker"],
            "arguments": [],
            "env": {"PORT": "4000", "BIND_HOST": "0.0.0.0"},
            "ports": [4000],
            "labels": {"org.opencontainers.image.title": "worker"},
        },
        "manifest": {"name": "worker", "queues": ["jobs"], "consumerGroups": [], "closure": {"base": "python"}},
    }


@pytest.fixture
def build(given: Build) -> Any:
    """Builds an image of a document."""

    def run(document: dict[str, Any]) -> Built:
        paths = given(document, outputs=("out", "meta", "identity"))
        image.main()
        return Built(paths)

    return run


def test_every_blob_is_named_by_its_digest(build: Any, document: dict[str, Any]) -> None:
    built = build(document)

    blobs = [name for name in built.names if name.startswith("blobs/")]
    assert len(blobs) == 5
    for name in blobs:
        assert name == f"blobs/sha256/{hashlib.sha256(built.blobs[name]).hexdigest()}"


def test_docker_and_oci_manifests_describe_the_same_image(build: Any, document: dict[str, Any]) -> None:
    built = build(document)

    layers = [descriptor["digest"] for descriptor in built.oci["layers"]]
    assert [f"blobs/{digest.replace(':', '/')}" for digest in layers] == built.docker["Layers"]
    assert built.docker["Config"] == f"blobs/{built.oci['config']['digest'].replace(':', '/')}"
    assert built.config["rootfs"] == {"type": "layers", "diff_ids": layers}
    assert len(built.config["history"]) == len(layers)
    assert json.loads(built.blobs["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


def test_every_descriptor_has_the_size_of_its_blob(build: Any, document: dict[str, Any]) -> None:
    built = build(document)

    descriptors = [*json.loads(built.blobs["index.json"])["manifests"], built.oci["config"], *built.oci["layers"]]
    assert [descriptor["size"] for descriptor in descriptors] == [len(built.blob(d["digest"])) for d in descriptors]


def test_descriptions_stand_before_the_layers(build: Any, document: dict[str, Any]) -> None:
    assert build(document).names[:3] == ["manifest.json", "index.json", "oci-layout"]


def test_tag_is_the_beginning_of_the_digest_and_names_the_image(build: Any, document: dict[str, Any]) -> None:
    built = build(document)

    tag = built.meta["tag"]
    assert built.meta["digest"] == f"sha256:{tag}{built.meta['digest'][7 + len(tag) :]}"
    assert len(tag) == 32
    assert built.docker["RepoTags"] == [f"worker:{tag}"]
    [descriptor] = json.loads(built.blobs["index.json"])["manifests"]
    assert descriptor["annotations"] == {
        "org.opencontainers.image.ref.name": tag,
        "io.containerd.image.name": f"worker:{tag}",
    }


def test_image_says_who_it_is_inside_and_outside(build: Any, document: dict[str, Any]) -> None:
    built = build(document)

    assert built.identity == {**document["manifest"], "digest": built.meta["digest"]}
    with tarfile.open(fileobj=io.BytesIO(built.blobs[built.docker["Layers"][-1]])) as tar:
        inside = tar.extractfile("etc/workflow-runtime/image.json")
        assert inside is not None
        assert json.loads(inside.read()) == built.identity


def test_process_runs_as_an_unprivileged_user_without_a_shell(build: Any, document: dict[str, Any]) -> None:
    built = build(document)

    config = built.config["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/app/bin/python3", "-I", "-m", "worker"]
    assert config["Env"] == ["BIND_HOST=0.0.0.0", "PORT=4000"]
    assert config["ExposedPorts"] == {"4000/tcp": {}}
    assert (built.config["architecture"], built.config["os"]) == ("amd64", "linux")


def test_last_layer_has_accounts_interpreter_and_writable_directories(build: Any, document: dict[str, Any]) -> None:
    entries = build(document).last_layer

    assert entries["app/bin/python3"].linkname == "/usr/bin/python3.13"
    assert entries["etc/passwd"].isfile()
    assert (entries["tmp"].mode, entries["tmp"].uid) == (0o1777, 0)
    assert (entries["data"].mode, entries["data"].uid, entries["data"].gid) == (0o755, 65532, 65532)
    assert {entry.uid for name, entry in entries.items() if name != "data"} == {0}
    assert list(entries) == sorted(entries, key=lambda name: name.split("/"))


def test_image_without_python_has_no_virtual_environment(build: Any, document: dict[str, Any]) -> None:
    assert not [name for name in build({**document, "python": None}).last_layer if name.startswith("app")]


def test_same_document_gives_the_same_archive(build: Any, document: dict[str, Any]) -> None:
    assert build(document).archive == build(document).archive


@pytest.mark.parametrize("change", ["env", "arch", "entrypoint", "layer"])
def test_every_change_changes_the_digest(change: str, build: Any, document: dict[str, Any], tmp_path: Path) -> None:
    before = build(document).meta["digest"]
    config = document["config"]
    changes: dict[str, dict[str, Any]] = {
        "env": {"config": {**config, "env": {"PORT": "4001"}}},
        "arch": {"arch": "arm64"},
        "entrypoint": {"config": {**config, "entrypoint": ["/app/bin/python3"]}},
        "layer": {"layers": [document["layers"][0], _layer(tmp_path, "edited", "3")]},
    }

    assert build({**document, **changes[change]}).meta["digest"] != before


def test_declaration_changes_the_digest_too(build: Any, document: dict[str, Any]) -> None:
    before = build(document).meta["digest"]

    manifest = {**document["manifest"], "queues": ["jobs", "more"]}
    assert build({**document, "manifest": manifest}).meta["digest"] != before


def test_layer_that_occurs_twice_is_stored_once(build: Any, document: dict[str, Any]) -> None:
    built = build({**document, "layers": [document["layers"][0], document["layers"][0]]})

    assert len(built.names) == len(set(built.names))
    assert len(built.docker["Layers"]) == 3
