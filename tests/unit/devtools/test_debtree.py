"""One root file system from unpacked packages: what stays, what goes, what maintainer scripts would have made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from devtools.debtree import unpack
from tests.fakes.programs import Call, FakePrograms

type Unpack = Callable[[dict[str, str]], set[str]]


@pytest.fixture
def unpacked(tmp_path: Path, programs: FakePrograms) -> Unpack:
    """Unpack one package with these files (`path`: content, or `-> target` for a link) and list what is in the tree."""

    def run(files: dict[str, str]) -> set[str]:
        tree = tmp_path / "tree"
        tree.mkdir()

        def extract(call: Call) -> None:
            for name, content in files.items():
                path = Path(call.argv[-1], name)
                path.parent.mkdir(parents=True, exist_ok=True)
                if content.startswith("-> "):
                    path.symlink_to(content.removeprefix("-> "))
                else:
                    path.write_text(content)

        programs.answer("dpkg-deb", "--extract", effect=extract)
        unpack([tmp_path / "one.deb"], tree)
        return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_symlink() or path.is_file()}

    return run


def test_packages_are_unpacked_in_the_order_of_their_names(programs: FakePrograms, tmp_path: Path) -> None:
    programs.answer("dpkg-deb")

    unpack([tmp_path / "b.deb", tmp_path / "a.deb"], tmp_path)

    assert [Path(call.argv[2]).name for call in programs.calls] == ["a.deb", "b.deb"]


def test_documentation_goes_and_copyright_stays(unpacked: Unpack) -> None:
    files = {
        "usr/bin/tool": "",
        "usr/share/doc/tool/copyright": "",
        "usr/share/doc/tool/changelog.gz": "",
        "usr/share/man/man1/tool.1.gz": "",
        "usr/share/locale/de/tool.mo": "",
        "etc/init.d/tool": "",
        "var/lib/tool/state": "",
        "usr/lib/x86_64-linux-gnu/gconv/UTF-7.so": "",
        "usr/lib/x86_64-linux-gnu/libc.so.6": "",
    }

    kept = {"usr/bin/tool", "usr/share/doc/tool/copyright", "usr/lib/x86_64-linux-gnu/libc.so.6"}
    assert unpacked(files) == kept | {"bin", "lib"}


def test_merged_directories_are_links_as_on_a_running_debian(unpacked: Unpack, tmp_path: Path) -> None:
    unpacked({"usr/bin/tool": "", "usr/lib/x.so": "", "usr/lib64/ld.so": ""})

    tree = tmp_path / "tree"
    assert {name: (tree / name).readlink() for name in ("bin", "lib", "lib64")} == {
        "bin": Path("usr/bin"),
        "lib": Path("usr/lib"),
        "lib64": Path("usr/lib64"),
    }
    assert not (tree / "sbin").is_symlink()


def test_link_out_of_the_tree_goes_and_link_within_stays(unpacked: Unpack) -> None:
    kept = unpacked({"usr/lib/a.so": "-> a.so.1", "usr/lib/a.so.1": "", "usr/lib/b.so": "-> /usr/lib/a.so.1"})

    assert "usr/lib/a.so" in kept
    assert "usr/lib/b.so" not in kept


def test_certificates_become_one_bundle(unpacked: Unpack, tmp_path: Path) -> None:
    kept = unpacked(
        {"usr/share/ca-certificates/mozilla/B.crt": "B\n", "usr/share/ca-certificates/mozilla/A.crt": "A\n"}
    )

    assert kept == {"etc/ssl/certs/ca-certificates.crt"}
    assert (tmp_path / "tree/etc/ssl/certs/ca-certificates.crt").read_text() == "A\nB\n"


def test_directories_left_empty_go(unpacked: Unpack, tmp_path: Path) -> None:
    unpacked({"usr/share/man/man1/a.1": "", "usr/bin/tool": ""})

    assert not (tmp_path / "tree/usr/share").exists()
