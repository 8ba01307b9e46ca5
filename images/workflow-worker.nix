# The one process that owns authored execution and the workflow event stream.
{ at }:
let
  process = import ./process.nix { inherit at; port = "health"; };
in
process // {
  group = "workflow-worker";
  packages = [
    "workflow_runtime.core"
    "workflow_runtime.store"
    "workflow_runtime.service"
    "workflow_worker"
  ];
  program.python = "workflow_worker";

  # Runs inside Temporal workflow code: no clock, randomness, I/O, threads or environment of its own.
  workflowCode = [
    "workflow_runtime.core"
    "workflow_runtime.service.failures"
    "workflow_worker.authored_run"
    "workflow_worker.action_calls"
    "workflow_worker.calls"
    "workflow_worker.carrying"
    "workflow_worker.mailbox"
    "workflow_worker.outbox"
    "workflow_worker.performing"
    "workflow_worker.pinned_actions"
    "workflow_worker.records"
    "workflow_worker.responses"
    "workflow_worker.scheduled_start"
    "workflow_worker.starting"
  ];

  owns.queues = [ "workflow-runtime-v2" ];
  owns.consumerGroups = [ "workflow-runtime-v2" ];

  ports.health = 4000;
  # Values of {"$secret": NAME}: one file per tenant and name, read-only.
  directories.secrets = "WORKFLOW_SECRETS_DIR";
  passEnvironment = process.passEnvironment ++ [
    "WORKFLOW_RUNTIME_V2_EVENT_CORRELATION_PATHS_JSON"
    "EVENT_RETENTION_SECONDS"
    "HTTP_ACTION_ALLOWED_HOSTS"
    "LOCAL_ACTIONS"
    "RECONCILE_SECONDS"
  ];
}
