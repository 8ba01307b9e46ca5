# The one process that owns authored execution and the workflow event stream.
{ at }:
{
  base = "python";
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
    "workflow_worker.authored_run"
    "workflow_worker.scheduled_start"
  ];

  owns.queues = [ "workflow-runtime-v2" ];
  owns.consumerGroups = [ "workflow-runtime-v2" ];

  needs = [ "redis" "temporal" ];
  ports.health = 4000;
  env = {
    BIND_HOST = at.bind;
    PORT = at.port "health";
    REDIS_URL = "redis://${at.address "redis" "client"}/0";
    TEMPORAL_ADDRESS = at.address "temporal" "grpc";
  };
  # Values of {"$secret": NAME}: one file per tenant and name, read-only.
  directories.secrets = "WORKFLOW_SECRETS_DIR";
  # Settings of a person or a secret store; empty is not set.
  passEnvironment = [
    "LOG_LEVEL"
    "CONNECT_DEADLINE_SECONDS"
    "SHUTDOWN_GRACE_SECONDS"
    "LARGE_PAYLOAD_RETENTION_DAYS"
    "WORKER_VERSIONING"
    "WORKFLOW_RUNTIME_V2_EVENT_CORRELATION_PATHS_JSON"
    "EVENT_RETENTION_SECONDS"
    "HTTP_ACTION_ALLOWED_HOSTS"
  ];
  probe.http = { port = "health"; path = "/readyz"; };
}
