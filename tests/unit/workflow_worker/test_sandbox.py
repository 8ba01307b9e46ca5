"""What passes through the sandbox is proved instead by the image build, so it must be declared as workflow code."""

from tests.unit.boundary.own_tree import declarations

from workflow_runtime.service.sandbox import PASSTHROUGH
from workflow_worker.sandbox import PASSED_MODULES


def test_every_module_of_ours_that_passes_is_declared_as_workflow_code() -> None:
    ours = {name for name in (*PASSTHROUGH, *PASSED_MODULES) if name.startswith("workflow_")}
    assert ours <= set(declarations()["workflow-worker"]["workflowCode"])


def test_the_workflow_class_itself_stays_inside() -> None:
    assert "workflow_worker.authored_run" not in PASSED_MODULES
