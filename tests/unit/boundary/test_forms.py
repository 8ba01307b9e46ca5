"""Every form of reaching a module: refused with the forbidden package, silent with the declared one."""

from pathlib import Path

import pytest
from tests.unit.boundary.forms import COMPUTED, FORMS, UNDECIDABLE, Form, written
from tests.unit.boundary.tree import Tree

from boundary.findings import Finding

FORBIDDEN, DECLARED = "lib.boot.engine", "lib.core.engine"


def _check_all(directory: Path, sources: dict[str, str]) -> dict[str, list[Finding]]:
    """One check of a project with a module for each source; findings by name of the source."""
    tree = Tree(directory)
    names = {f"worker/form_{index}.py": name for index, name in enumerate(sources)}
    tree.write({file: sources[name] for file, name in names.items()})
    found: dict[str, list[Finding]] = {name: [] for name in sources}
    for finding in tree.findings():
        found[names[finding.path.removeprefix("src/")]].append(finding)
    return found


@pytest.fixture(scope="module")
def forbidden(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    return _check_all(tmp_path_factory.mktemp("forbidden"), {form.name: written(form, FORBIDDEN) for form in FORMS})


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    return _check_all(tmp_path_factory.mktemp("declared"), {form.name: written(form, DECLARED) for form in FORMS})


@pytest.fixture(scope="module")
def undecidable(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    sources = {name: source.substitute(comment="") for name, source in UNDECIDABLE.items()}
    return _check_all(tmp_path_factory.mktemp("undecidable"), sources)


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    return _check_all(tmp_path_factory.mktemp("computed"), COMPUTED)


def _commented(directory: Path, target: str) -> dict[str, list[Finding]]:
    comment = f"  # boundary: imports {target}"
    return _check_all(directory, {name: source.substitute(comment=comment) for name, source in UNDECIDABLE.items()})


@pytest.fixture(scope="module")
def declared_by_comment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    return _commented(tmp_path_factory.mktemp("declared-by-comment"), DECLARED)


@pytest.fixture(scope="module")
def forbidden_by_comment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    return _commented(tmp_path_factory.mktemp("forbidden-by-comment"), FORBIDDEN)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_form_naming_the_forbidden_package_is_refused(form: Form, forbidden: dict[str, list[Finding]]) -> None:
    found = forbidden[form.name]
    assert {finding.code for finding in found} == {"forbidden-import"}
    assert all(finding.subject.startswith("lib.boot") for finding in found)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_report_says_who_saw_the_form_and_how_certain_it_is(form: Form, forbidden: dict[str, list[Finding]]) -> None:
    assert {(finding.witness, finding.certainty) for finding in forbidden[form.name]} == {(form.seen, form.certainty)}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_form_naming_a_declared_package_is_silent(form: Form, declared: dict[str, list[Finding]]) -> None:
    assert declared[form.name] == []


@pytest.mark.parametrize("name", COMPUTED)
def test_loader_is_recognised_when_its_name_is_computed(name: str, computed: dict[str, list[Finding]]) -> None:
    assert "undecidable-import" in {finding.code for finding in computed[name]}


@pytest.mark.parametrize("name", UNDECIDABLE)
def test_line_nobody_can_decide_is_refused(name: str, undecidable: dict[str, list[Finding]]) -> None:
    assert {finding.code for finding in undecidable[name]} == {"undecidable-import"}


@pytest.mark.parametrize("name", UNDECIDABLE)
def test_comment_declares_what_an_undecidable_line_loads(
    name: str, declared_by_comment: dict[str, list[Finding]]
) -> None:
    assert declared_by_comment[name] == []


@pytest.mark.parametrize("name", UNDECIDABLE)
def test_comment_cannot_allow_the_forbidden_package(name: str, forbidden_by_comment: dict[str, list[Finding]]) -> None:
    assert {finding.code for finding in forbidden_by_comment[name]} == {"forbidden-import"}
