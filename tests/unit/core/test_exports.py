"""What the packages of core offer, pinned so that a change is a decision."""

import importlib

import pytest

EXPORTS = {
    "workflow_runtime.core.actions": (
        "BUILTIN_SPECS ActionPin ActionSpec JsonCheck action_key check_schema effective_input idempotency_key "
        "is_derived_key json_check misfit pin_action unresolved_problems validate_json"
    ),
    "workflow_runtime.core.actions.transform": "TRANSFORM_IDS run_transform",
    "workflow_runtime.core.definition": (
        "EXPR_KEY MAX_DURATION_MS RESERVED_NAMES ROOT_PATH SECRET_KEY STEP_TYPES ActionCallConfig ActionCallStep "
        "AssignConfig AssignStep BaseStep CallWorkflowStep Definition EventFilter EventTrigger EventWaitConfig "
        "EventWaitStep Expr FilterOp Finding FindingCode ForEachStep HumanTaskConfig HumanTaskStep IfStep NodeStep "
        "OnError ParseBodyConfig ParseBodyStep PlacedStep RecurringTrigger RenderCommentBlocksConfig "
        "RenderCommentBlocksStep RetryPolicy ReturnStep ScheduleTrigger StateSetConfig StateSetStep Step Steps "
        "TimeWaitConfig TimeWaitStep Trigger TryCatchStep Value Version assignments_of called_actions child_blocks "
        "has_errors is_expression is_secret iter_expressions iter_secrets parse_definition step_path walk_steps"
    ),
    "workflow_runtime.core.expressions": (
        "ALLOWED_FUNCTIONS MAX_LENGTH MAX_RESULT_BYTES CompiledExpression Effort compile_expression resolve_value"
    ),
    "workflow_runtime.core.validation": (
        "CalledWorkflow Environment LoadedWorkflows NoWorkflows WorkflowVersion Workflows called_workflows "
        "id_problem validate_document validate_for_publish"
    ),
}


@pytest.mark.parametrize("package", EXPORTS)
def test_a_package_offers_exactly_this(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__ == EXPORTS[package].split()
    assert all(hasattr(module, name) for name in module.__all__)
