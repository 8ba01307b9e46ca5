"""What an image archive says of itself."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from devtools.archives import read
from devtools.errors import DevError


def _archive(path: Path, *files: tuple[str, object]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, value in files:
            content = json.dumps(value).encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_name_and_tag_are_read_from_the_manifest(tmp_path: Path) -> None:
    path = _archive(tmp_path / "image.tar", ("manifest.json", [{"RepoTags": ["workflow-worker:abc"]}]), ("blob", 1))

    archive = read(path)

    assert (archive.name, archive.tag, archive.reference) == ("workflow-worker", "abc", "workflow-worker:abc")
    assert archive.size == path.stat().st_size


def test_other_tar_file_is_no_image(tmp_path: Path) -> None:
    path = _archive(tmp_path / "other.tar", ("something.json", {"a": 1}))

    with pytest.raises(DevError, match=r"other\.tar is no image archive: build it again with \./dev build"):
        read(path)
