"""A manifest that cannot be used: one line that names the file and the key, and exit code 2."""

import json
from pathlib import Path

import pytest
from tests.unit.boundary.tree import Tree

from boundary.cli import main
from boundary.manifest import load_manifest

BAD = [
    ({"version": 2}, "version must be 1, the version this program reads, got 2"),
    ({"image": ""}, 'image must be a non-empty string, got ""'),
    ({"sourceRoot": "/nowhere"}, "sourceRoot '/nowhere' is not a directory"),
    ({"sitePackages": ["/nowhere"]}, "sitePackages '/nowhere' is not a directory"),
    ({"firstParty": "worker"}, 'firstParty must be a list of non-empty strings, got "worker"'),
    ({"firstParty": None}, "firstParty must be a list of non-empty strings, got null"),
    ({"forbidden": [1]}, "forbidden must be a list of non-empty strings, got [1]"),
    ({"knownFirstParty": {"a": "b"}}, "knownFirstParty must be an object of package -> list of image names"),
    ({"knownFirstParty": []}, "knownFirstParty must be an object, got []"),
    ({"layers": ["a"]}, 'layers must be a list of lists of packages, highest layer first, got ["a"]'),
    ({"distributions": {}}, "distributions must be a list, got {}"),
    ({"distributions": ["a"]}, "distributions[0] must be an object, got str"),
    ({"distributions": [{"name": "a"}]}, "distributions[0].direct must be true or false, got nothing"),
    ({"distributions": [{"name": "a", "direct": True, "path": "x"}]}, "unknown key 'distributions[0].path'"),
    ({"knownDistributions": {"a": {"group": []}}}, "unknown key 'knownDistributions.a.group'"),
    ({"entryPoints": [{"value": ["x"]}]}, "entryPoints[0].kind must be a non-empty string, got nothing"),
    ({"entryPoints": [{"kind": "x", "value": 1}]}, "entryPoints[0].value must be a non-empty string, got 1"),
    ({"entryPoints": [{"kind": "x", "value": "a:b", "line": 0}]}, "entryPoints[0].line must be a line number from 1"),
    ({"declaration": {"path": "x"}}, "unknown key 'declaration.path'"),
    ({"workflowModule": []}, "unknown key 'workflowModule'"),
]


@pytest.mark.parametrize(("changes", "problem"), BAD)
def test_bad_manifest_is_misuse_and_one_line(
    changes: dict[str, object], problem: str, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tree.manifest(**changes)
    assert main(["--manifest", str(path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"boundary: {path}: {problem}")
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "problem"), [("{", "is not JSON"), ("[]", "the document must be an object, got list"), ("\xff", "is not")]
)
def test_file_that_is_no_manifest_is_misuse(
    text: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(text.encode("latin-1"))
    assert main(["--manifest", str(path)]) == 2
    assert problem in capsys.readouterr().err


def test_file_that_is_not_there_is_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--manifest", str(tmp_path / "none.json")]) == 2
    assert "cannot be read: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--manifest"], ["--format", "xml", "--manifest", "x"], ["--nothing"]])
def test_wrong_command_line_is_misuse_and_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    error = capsys.readouterr().err
    assert (ended.value.code, error.count("\n"), error[:10]) == (2, 1, "boundary: ")


def test_optional_keys_have_defaults(tree: Tree) -> None:
    path = tree.directory / "small.json"
    path.write_text(json.dumps({"version": 1, "image": "worker", "sourceRoot": "src", "firstParty": ["worker"]}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tree.directory)
        manifest = load_manifest(str(path))
    assert manifest.source_root == tree.directory / "src"
    assert (manifest.group, manifest.declaration.file) == ("worker", "images/worker.nix")
    assert (manifest.clean_imports, manifest.site_packages, manifest.interpreter) == (("worker",), (), None)
