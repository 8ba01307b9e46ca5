"""The form of each image: deterministic layers, a valid OCI layout, an unprivileged process, and its own identity."""

import json
import tarfile
from typing import Any

import pytest
from tests.closure import declared
from tests.closure.archive import Entry, ImageArchive

from workflow_runtime.core import contract

pytestmark = pytest.mark.nix

USER = 65532


def _volumes(image: ImageArchive) -> set[str]:
    return {path.strip("/") for path in declared.declarations()[image.name].get("volumes", {}).values()}


class TestLayers:
    def test_entries_are_sorted_with_parents_first(self, image: ImageArchive) -> None:
        for layer in image.layers:
            names = [entry.name.split("/") for entry in layer]
            assert names == sorted(names)

    def test_nothing_depends_on_when_and_by_whom_it_was_built(self, image: ImageArchive) -> None:
        owned = _volumes(image)
        for layer in image.layers:
            assert {entry.mtime for entry in layer} == {1}
            assert {(entry.uid, entry.gid) for entry in layer if entry.name not in owned} == {(0, 0)}

    def test_only_the_process_may_write_only_its_volumes(self, image: ImageArchive) -> None:
        entries = [entry for entry in image.tree.values() if not entry.is_link]
        writable = {entry.name for entry in entries if entry.uid != 0 or entry.mode & 0o022}

        assert writable == _volumes(image) | {"tmp"}
        assert image.tree["tmp"].mode == 0o1777
        assert {(image.tree[name].uid, image.tree[name].mode) for name in _volumes(image)} <= {(USER, 0o755)}

    def test_nothing_gains_rights(self, image: ImageArchive) -> None:
        special = [entry.name for entry in image.tree.values() if entry.mode & 0o7000 and entry.name != "tmp"]
        kinds = {entry.kind for entry in image.tree.values()}

        assert special == []
        assert kinds <= {tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE}

    def test_one_layer_of_a_python_image_is_first_party_code(self, python_image: ImageArchive) -> None:
        touched = [layer for layer in python_image.layers if any(_is_first_party(entry) for entry in layer)]

        assert len(touched) == 1
        assert touched[0] == python_image.layers[-2]

    def test_images_share_every_layer_of_a_shared_wheel(self, archives: dict[str, ImageArchive]) -> None:
        first, second = (set(archives[name].manifest["Layers"]) for name in ("workflow-worker", "temporal-worker"))
        shared = set(declared.distributions("workflow-worker")) & set(declared.distributions("temporal-worker"))

        assert len(first & second) == len(shared) + 1  # and the base


def _is_first_party(entry: Entry) -> bool:
    return "/site-packages/workflow_" in entry.name or "/site-packages/temporal_worker" in entry.name


class TestLayout:
    def test_every_blob_is_named_by_its_content(self, image: ImageArchive) -> None:
        blobs = [name for name in image.files if name.startswith("blobs/")]

        assert blobs == [f"blobs/{image.digest(name).replace(':', '/')}" for name in blobs]

    def test_every_descriptor_holds(self, image: ImageArchive) -> None:
        [top] = image.json("index.json")["manifests"]
        manifest = image.json(_blob(top))
        for descriptor in (top, manifest["config"], *manifest["layers"]):
            assert descriptor["size"] == image.files[_blob(descriptor)][1]
            assert descriptor["digest"] == image.digest(_blob(descriptor))
        assert manifest["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"

    def test_layout_holds_nothing_unreferenced(self, image: ImageArchive) -> None:
        [top] = image.json("index.json")["manifests"]
        manifest = image.json(_blob(top))
        referenced = {_blob(descriptor) for descriptor in (top, manifest["config"], *manifest["layers"])}

        assert set(image.files) == referenced | {"manifest.json", "index.json", "oci-layout"}
        assert image.json("oci-layout") == {"imageLayoutVersion": "1.0.0"}

    def test_docker_and_oci_tools_see_one_image(self, image: ImageArchive) -> None:
        [top] = image.json("index.json")["manifests"]
        manifest = image.json(_blob(top))

        assert image.manifest["Config"] == _blob(manifest["config"])
        assert image.manifest["Layers"] == [_blob(layer) for layer in manifest["layers"]]
        rootfs = image.json(image.manifest["Config"])["rootfs"]
        assert rootfs == {"type": "layers", "diff_ids": [layer["digest"] for layer in manifest["layers"]]}

    def test_tag_is_the_content_hash(self, image: ImageArchive) -> None:
        name, _, tag = image.manifest["RepoTags"][0].partition(":")

        assert name == image.name
        assert _identity(image)["digest"].startswith(f"sha256:{tag}")
        assert len(tag) == 32


def _blob(descriptor: dict[str, Any]) -> str:
    return f"blobs/{descriptor['digest'].replace(':', '/')}"


def _identity(image: ImageArchive) -> dict[str, Any]:
    return dict(json.loads(image.tree["etc/workflow-runtime/image.json"].content))


class TestProcess:
    def test_process_is_unprivileged(self, image: ImageArchive) -> None:
        assert image.config["User"] == f"{USER}:{USER}"
        assert f":x:{USER}:{USER}:" in image.tree["etc/passwd"].content.decode()

    def test_entry_point_is_a_program_of_the_image(self, image: ImageArchive) -> None:
        program = image.resolve(image.config["Entrypoint"][0])

        assert program is not None
        assert program.is_file
        assert program.mode & 0o111
        assert program.content[:4] == b"\x7fELF"

    def test_health_check_is_a_program_of_the_image(self, image: ImageArchive, compose: dict[str, Any]) -> None:
        kind, program, *_ = compose["services"][image.name]["healthcheck"]["test"]

        found = image.resolve(program)
        assert kind == "CMD"
        assert found is not None
        assert found.content[:4] == b"\x7fELF"

    def test_composed_service_is_this_very_image(self, image: ImageArchive, compose: dict[str, Any]) -> None:
        assert compose["services"][image.name]["image"] == image.manifest["RepoTags"][0]

    def test_python_finds_the_code_of_the_image_only(self, python_image: ImageArchive) -> None:
        program = declared.declarations()[python_image.name]["program"]["python"]

        assert python_image.config["Entrypoint"] == ["/app/bin/python3", "-I", "-m", program]
        settings = python_image.tree["app/pyvenv.cfg"].content.decode()
        assert "home = /usr/bin\n" in settings
        assert "include-system-site-packages = false\n" in settings

    def test_declared_ports_and_volumes_are_announced(self, image: ImageArchive) -> None:
        declaration = declared.declarations()[image.name]

        assert set(image.config["ExposedPorts"]) == {f"{port}/tcp" for port in declaration["ports"].values()}
        assert set(image.config["Volumes"]) == set(declaration.get("volumes", {}).values())


class TestIdentity:
    def test_image_says_what_it_owns(self, image: ImageArchive) -> None:
        owns = declared.declarations()[image.name].get("owns", {})

        assert _identity(image)["name"] == image.name
        assert _identity(image)["queues"] == owns.get("queues", [])
        assert _identity(image)["consumerGroups"] == owns.get("consumerGroups", [])

    @pytest.mark.parametrize(
        ("name", "queues", "groups"),
        [
            ("workflow-worker", [contract.AUTHORED_QUEUE], [contract.EVENT_CONSUMER_GROUP]),
            ("temporal-worker", list(contract.DOMAIN_QUEUES), []),
            ("workflow-server", [contract.APP_ACTION_QUEUE], []),
            ("redis", [], []),
            ("temporal", [], []),
        ],
    )
    def test_declarations_equal_the_contract(
        self, name: str, queues: list[str], groups: list[str], archives: dict[str, ImageArchive]
    ) -> None:
        identity = _identity(archives[name])

        assert sorted(identity["queues"]) == sorted(queues)
        assert identity["consumerGroups"] == groups

    def test_image_lists_its_closure(self, image: ImageArchive) -> None:
        closure = _identity(image)["closure"]

        assert closure["base"] == declared.declarations()[image.name]["base"]
        assert closure["packages"] == declared.packages(image.name)
        assert closure["wheels"] == declared.distributions(image.name)

    def test_identity_is_readable_by_the_process(self, image: ImageArchive) -> None:
        assert image.tree["etc/workflow-runtime/image.json"].mode == 0o644
