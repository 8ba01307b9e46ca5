"""Publish validation: everything that is wrong with a definition, in one answer. Pure; importable anywhere."""

from workflow_runtime.core.validation.environment import (
    CalledWorkflow,
    Environment,
    LoadedWorkflows,
    NoWorkflows,
    Workflows,
    WorkflowVersion,
    called_workflows,
)
from workflow_runtime.core.validation.publish import id_problem, validate_document, validate_for_publish

__all__ = [
    "CalledWorkflow",
    "Environment",
    "LoadedWorkflows",
    "NoWorkflows",
    "WorkflowVersion",
    "Workflows",
    "called_workflows",
    "id_problem",
    "validate_document",
    "validate_for_publish",
]
