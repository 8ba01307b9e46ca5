"""The authored-workflow runtime: core, store and service are worker-safe, bootstrap is for workflow-server only."""
