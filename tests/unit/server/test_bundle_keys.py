"""Bundle keys for workflows that have none of their own."""

import pytest

from workflow_server.bundles import key_of


@pytest.mark.parametrize(
    ("workflow_id", "key"), [("ok", "ok"), ("Größe 7", "gr--e-7"), ("..x", "x"), ("///", "workflow")]
)
def test_a_workflow_without_a_key_gets_one_that_a_bundle_may_have(workflow_id: str, key: str) -> None:
    assert key_of(workflow_id) == key
