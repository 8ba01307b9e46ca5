"""Reading image.json, and the identity that Temporal shows."""

from pathlib import Path

import pytest

from workflow_runtime.service.errors import StartupError
from workflow_runtime.service.image import ImageManifest, image_name, read_manifest, worker_identity


def test_a_manifest_gives_name_digest_queues_and_groups(tmp_path: Path) -> None:
    file = tmp_path / "image.json"
    file.write_text(
        '{"name": "workflow-worker", "digest": "sha256:12", "queues": ["q"], "consumerGroups": ["g"],'
        ' "closure": {"wheels": []}, "later": 1}'
    )
    image = read_manifest(file, process="workflow-worker")
    assert (image.name, image.digest, image.queues, image.consumer_groups) == (
        "workflow-worker",
        "sha256:12",
        ("q",),
        ("g",),
    )
    assert image.managed


def test_without_a_manifest_the_process_is_unmanaged(tmp_path: Path) -> None:
    image = read_manifest(tmp_path / "absent.json", process="temporal-worker")
    assert (image.name, image.managed) == ("temporal-worker", False)


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', "\x00"])
def test_a_damaged_manifest_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "image.json"
    file.write_text(text)
    with pytest.raises(StartupError) as refusal:
        read_manifest(file, process="workflow-worker")
    assert "image.json" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_identity_names_its_image() -> None:
    identity = worker_identity(ImageManifest(name="temporal-worker", digest="sha256:12"))
    assert identity.startswith("temporal-worker@sha256:12/")
    assert image_name(identity) == "temporal-worker"


@pytest.mark.parametrize("identity", ["4711@laptop", "", "java-worker", "workflow-worker"])
def test_a_strangers_identity_names_no_image(identity: str) -> None:
    assert image_name(identity) is None
