"""Layers are a function of names, contents and executable bits, and of nothing else."""

import hashlib
import io
import os
import tarfile
from pathlib import Path, PurePosixPath

from tarlayer import MTIME, TarWriter, write_layer

APP = PurePosixPath("app")


def _tree(root: Path, names: list[str]) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    return root


def test_same_files_give_the_same_bytes_whatever_their_order_and_times(tmp_path: Path) -> None:
    names = ["pkg/a.py", "pkg/b.py", "pkg/sub/c.py", "z.txt"]
    first = _tree(tmp_path / "first", names)
    second = _tree(tmp_path / "second", names[::-1])
    for path in second.rglob("*"):
        os.utime(path, (12345, 67890))
    (second / "z.txt").chmod(0o600)

    one = write_layer(first, APP, tmp_path / "one.tar")
    two = write_layer(second, APP, tmp_path / "two.tar")

    assert one.path.read_bytes() == two.path.read_bytes()
    assert (one.diff_id, one.size) == (two.diff_id, two.size)


def test_layer_is_described_by_its_own_bytes(tmp_path: Path) -> None:
    layer = write_layer(_tree(tmp_path / "tree", ["a"]), APP, tmp_path / "layer.tar")

    content = (tmp_path / "layer.tar").read_bytes()
    assert layer.size == len(content)
    assert layer.diff_id == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_content_and_executable_bit_change_the_layer(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "tree", ["a", "b"])
    plain = write_layer(tree, APP, tmp_path / "1.tar").diff_id
    (tree / "a").chmod(0o755)
    executable = write_layer(tree, APP, tmp_path / "2.tar").diff_id
    (tree / "b").write_text("other")
    edited = write_layer(tree, APP, tmp_path / "3.tar").diff_id

    assert len({plain, executable, edited}) == 3


def test_entries_are_sorted_owned_by_root_and_have_fixed_modes(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "tree", ["bin/tool", "lib/b.py", "lib/a.py", "lib.txt"])
    (tree / "bin/tool").chmod(0o775)
    (tree / "link").symlink_to("lib/a.py")

    write_layer(tree, APP, tmp_path / "layer.tar")

    with tarfile.open(tmp_path / "layer.tar") as tar:
        entries = [(entry.name, entry.mode) for entry in tar]
        assert {(entry.uid, entry.gid, entry.mtime, entry.uname, entry.gname) for entry in tar} == {
            (0, 0, MTIME, "", "")
        }
    assert entries == [
        ("app", 0o755),
        ("app/bin", 0o755),
        ("app/bin/tool", 0o755),
        ("app/lib", 0o755),
        ("app/lib/a.py", 0o644),
        ("app/lib/b.py", 0o644),
        ("app/lib.txt", 0o644),
        ("app/link", 0o777),
    ]


def test_layer_of_the_root_has_no_prefix(tmp_path: Path) -> None:
    write_layer(_tree(tmp_path / "tree", ["etc/x"]), PurePosixPath("."), tmp_path / "layer.tar")

    with tarfile.open(tmp_path / "layer.tar") as tar:
        assert tar.getnames() == ["etc", "etc/x"]


def test_long_and_foreign_names_survive(tmp_path: Path) -> None:
    name = "/".join(["directory-with-a-long-name"] * 8) + "/größe.py"
    write_layer(_tree(tmp_path / "tree", [name]), APP, tmp_path / "layer.tar")

    with tarfile.open(tmp_path / "layer.tar") as tar:
        content = tar.extractfile(f"app/{name}")
        assert content is not None
        assert content.read().decode() == f"content of {name}"


def test_writer_makes_every_parent_once() -> None:
    stream = io.BytesIO()
    writer = TarWriter(stream)
    writer.file(PurePosixPath("etc/a/one"), b"1")
    writer.file(PurePosixPath("etc/a/two"), b"2", executable=True)
    writer.directory(PurePosixPath("data"), owner=65532)
    writer.directory(PurePosixPath("tmp"), mode=0o1777)
    writer.close()

    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        entries = [(entry.name, entry.mode, entry.uid, entry.gid) for entry in tar]
    assert entries == [
        ("etc", 0o755, 0, 0),
        ("etc/a", 0o755, 0, 0),
        ("etc/a/one", 0o644, 0, 0),
        ("etc/a/two", 0o755, 0, 0),
        ("data", 0o755, 65532, 65532),
        ("tmp", 0o1777, 0, 0),
    ]
