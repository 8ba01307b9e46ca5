"""Trees of an image: unpacked wheels, copied sources, byte code, and several trees joined into one."""

import importlib.util
import os
import shutil
import stat
from pathlib import Path

import pytest
from tests.unit.builders.wheels import EXECUTABLE, make_wheel

from trees import SITE_PACKAGES, TreeError, compile_tree, copy_tree, drop, join_trees, unpack_wheel, walk_sorted


def _write(path: Path, text: str = "", *, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _names(tree: Path) -> list[str]:
    return [str(path.relative_to(tree)) for path in walk_sorted(tree)]


class TestWheels:
    def test_packages_go_to_site_packages(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "demo.whl", {"demo/__init__.py": "x = 1", "demo/data/a.txt": "text"})

        unpack_wheel(wheel, tmp_path / "tree")

        packages = tmp_path / "tree" / SITE_PACKAGES
        assert (packages / "demo/__init__.py").read_text() == "x = 1"
        assert (packages / "demo/data/a.txt").read_text() == "text"
        assert (packages / "demo-1.0.dist-info/WHEEL").exists()

    @pytest.mark.parametrize(
        ("inside", "installed"),
        [
            ("purelib/pure.py", SITE_PACKAGES / "pure.py"),
            ("platlib/native.so", SITE_PACKAGES / "native.so"),
            ("data/share/demo/a.txt", "share/demo/a.txt"),
            ("headers/demo.h", "include/demo.h"),
            ("scripts/demo", "bin/demo"),
        ],
    )
    def test_data_directory_is_spread(self, inside: str, installed: str, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "demo.whl", {f"demo-1.0.data/{inside}": "content"})

        unpack_wheel(wheel, tmp_path / "tree")

        assert (tmp_path / "tree" / installed).read_text() == "content"

    def test_scripts_and_executables_may_run_and_nothing_else(self, tmp_path: Path) -> None:
        files = {"demo-1.0.data/scripts/demo": "", "demo/run": "", "demo/plain.py": "", "demo/odd.py": ""}
        wheel = make_wheel(tmp_path / "demo.whl", files, modes={"demo/run": EXECUTABLE, "demo/odd.py": 0o6660})

        unpack_wheel(wheel, tmp_path / "tree")

        packages = tmp_path / "tree" / SITE_PACKAGES
        assert _mode(tmp_path / "tree/bin/demo") == 0o755
        assert _mode(packages / "demo/run") == 0o755
        assert _mode(packages / "demo/plain.py") == 0o644
        assert _mode(packages / "demo/odd.py") == 0o644

    def test_directory_that_is_only_named_like_data_is_a_package(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "demo.whl", {"other.data/file": "1", "plain.data": "2"})

        unpack_wheel(wheel, tmp_path / "tree")

        packages = tmp_path / "tree" / SITE_PACKAGES
        assert (packages / "other.data/file").read_text() == "1"
        assert (packages / "plain.data").read_text() == "2"

    @pytest.mark.parametrize("name", ["../outside.py", "demo/../../outside.py", "/etc/outside.py"])
    def test_path_that_leaves_the_installation_is_refused(self, name: str, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "demo.whl", {name: ""})

        with pytest.raises(TreeError, match=r"demo\.whl holds .*outside\.py, which points outside the installation"):
            unpack_wheel(wheel, tmp_path / "tree")
        assert not list(tmp_path.rglob("outside.py"))

    def test_data_that_leaves_its_directory_is_refused(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "demo.whl", {"demo-1.0.data/data/../../../outside.py": ""})

        with pytest.raises(TreeError, match="points outside the installation"):
            unpack_wheel(wheel, tmp_path / "tree")

    def test_unknown_kind_of_data_is_named(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "demo.whl", {"demo-1.0.data/magic/file": ""})

        with pytest.raises(TreeError, match=r"demo-1\.0\.data/magic/file: wheels have no data of kind 'magic'"):
            unpack_wheel(wheel, tmp_path / "tree")

    def test_archive_without_a_description_is_no_wheel(self, tmp_path: Path) -> None:
        archive = shutil.make_archive(str(tmp_path / "demo"), "zip", _write(tmp_path / "files/demo.py").parent)

        with pytest.raises(TreeError, match=r"demo\.zip is no wheel: it holds 0 files named"):
            unpack_wheel(Path(archive), tmp_path / "tree")


class TestDropping:
    def _unpacked(self, tmp_path: Path) -> Path:
        _write(tmp_path / SITE_PACKAGES / "demo/__init__.py")
        _write(tmp_path / SITE_PACKAGES / "demo/sources/a.rs")
        record = "demo/__init__.py,sha256=a,0\ndemo/sources/a.rs,sha256=b,0\ndemo/sources.py,sha256=c,0\n"
        _write(tmp_path / SITE_PACKAGES / "demo-1.0.dist-info/RECORD", record)
        return tmp_path

    def test_dropped_directory_leaves_files_and_record(self, tmp_path: Path) -> None:
        tree = self._unpacked(tmp_path)

        drop(tree, ["demo/sources"])

        packages = tree / SITE_PACKAGES
        assert not (packages / "demo/sources").exists()
        assert (packages / "demo/__init__.py").exists()
        record = (packages / "demo-1.0.dist-info/RECORD").read_text()
        assert record == "demo/__init__.py,sha256=a,0\ndemo/sources.py,sha256=c,0\n"

    def test_dropping_what_is_not_there_names_the_list_to_correct(self, tmp_path: Path) -> None:
        with pytest.raises(TreeError, match=r"nix/trims\.nix drops demo/gone, which the wheel does not have"):
            drop(self._unpacked(tmp_path), ["demo/gone"])


class TestCopies:
    def test_links_and_the_executable_bit_survive_and_read_only_does_not(self, tmp_path: Path) -> None:
        _write(tmp_path / "from/bin/tool", "tool", mode=0o555)
        _write(tmp_path / "from/etc/plain", "plain", mode=0o444)
        (tmp_path / "from/lib").symlink_to("usr/lib")
        (tmp_path / "from/empty").mkdir(mode=0o555)

        copy_tree(tmp_path / "from", tmp_path / "to")

        assert _names(tmp_path / "to") == ["bin", "bin/tool", "empty", "etc", "etc/plain", "lib"]
        assert _mode(tmp_path / "to/bin/tool") == 0o755
        assert _mode(tmp_path / "to/etc/plain") == 0o644
        assert os.readlink(tmp_path / "to/lib") == "usr/lib"


class TestByteCode:
    def test_every_module_gets_byte_code_that_is_never_checked(self, tmp_path: Path) -> None:
        source = _write(tmp_path / "pkg/mod.py", "answer = 42\n")

        assert compile_tree(tmp_path) == []

        cached = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert int.from_bytes(cached[4:8], "little") == 0b01

    def test_byte_code_names_no_directory_of_the_build(self, tmp_path: Path) -> None:
        source = _write(tmp_path / "pkg/mod.py", "def f(): ...\n")

        compile_tree(tmp_path)

        cached = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert str(tmp_path).encode() not in cached
        assert b"pkg/mod.py" in cached

    def test_byte_code_is_the_same_wherever_and_whenever_it_is_made(self, tmp_path: Path) -> None:
        text = "NAMES = frozenset({'a', 'b', 'c'})\ndef f(x: int) -> set[str]:\n    return {'d', 'e'} | NAMES\n"
        made = []
        for number in (1, 2):
            source = _write(tmp_path / f"tree{number}/pkg/mod.py", text)
            os.utime(source, (number * 1000, number * 1000))
            compile_tree(tmp_path / f"tree{number}")
            made.append(Path(importlib.util.cache_from_source(str(source))).read_bytes())

        assert made[0] == made[1]

    def test_files_that_do_not_compile_are_returned_and_left(self, tmp_path: Path) -> None:
        _write(tmp_path / "good.py", "x = 1\n")
        _write(tmp_path / "pkg/template.py", "class {{ name }}:\n")
        (tmp_path / "pkg/latin.py").write_bytes(b"x = '\xe4'\n")
        (tmp_path / "pkg/null.py").write_bytes(b"x = 1\0\n")

        assert compile_tree(tmp_path) == ["pkg/latin.py", "pkg/null.py", "pkg/template.py"]
        assert (tmp_path / "pkg/template.py").exists()


class TestJoining:
    def test_directories_of_several_trees_merge(self, tmp_path: Path) -> None:
        _write(tmp_path / "a/lib/one/x.py")
        _write(tmp_path / "b/lib/two/y.py")
        _write(tmp_path / "b/bin/tool")

        join_trees([tmp_path / "a", tmp_path / "b"], tmp_path / "joined")

        assert (tmp_path / "joined/lib/one/x.py").exists()
        assert (tmp_path / "joined/lib/two/y.py").exists()
        assert (tmp_path / "joined/bin").readlink() == tmp_path / "b/bin"

    def test_namespace_package_of_two_trees_merges(self, tmp_path: Path) -> None:
        _write(tmp_path / "a/google/one/__init__.py")
        _write(tmp_path / "b/google/two/__init__.py")

        join_trees([tmp_path / "a", tmp_path / "b"], tmp_path / "joined")

        assert sorted(path.name for path in (tmp_path / "joined/google").iterdir()) == ["one", "two"]

    def test_one_file_of_two_trees_names_both(self, tmp_path: Path) -> None:
        _write(tmp_path / "a/lib/six.py")
        _write(tmp_path / "b/lib/six.py")

        with pytest.raises(TreeError, match=r"a/lib/six\.py and .*b/lib/six\.py would be the same file"):
            join_trees([tmp_path / "a", tmp_path / "b"], tmp_path / "joined")

    def test_file_and_directory_of_one_name_are_refused(self, tmp_path: Path) -> None:
        _write(tmp_path / "a/lib/thing")
        _write(tmp_path / "b/lib/thing/inside")

        with pytest.raises(TreeError, match="would be the same file"):
            join_trees([tmp_path / "a", tmp_path / "b"], tmp_path / "joined")


def test_walk_has_parents_first_and_does_not_follow_links(tmp_path: Path) -> None:
    _write(tmp_path / "b/file")
    _write(tmp_path / "a.txt")
    (tmp_path / "link").symlink_to("b")

    assert _names(tmp_path) == ["a.txt", "b", "b/file", "link"]
