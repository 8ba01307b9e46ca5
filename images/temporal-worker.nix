# The non-authored domain queues. It works without workflow-worker and refuses the authored queue.
{ at }:
{
  base = "python";
  group = "temporal-worker";
  packages = [
    "workflow_runtime.core"
    "workflow_runtime.store"
    "workflow_runtime.service"
    "temporal_worker"
  ];
  program.python = "temporal_worker";

  # Runs inside Temporal workflow code: no clock, randomness, I/O, threads or environment of its own.
  workflowCode = [
    "workflow_runtime.core"
    "temporal_worker.job_workflow"
    "temporal_worker.probe"
  ];

  owns.queues = [
    "tenant-workflows"
    "portal-domain-workflows"
    "email-domain-workflows"
    "alga-jobs"
    "sla-workflows"
  ];

  needs = [ "redis" "temporal" ];
  ports.health = 4000;
  env = {
    BIND_HOST = at.bind;
    PORT = at.port "health";
    REDIS_URL = "redis://${at.address "redis" "client"}/0";
    TEMPORAL_ADDRESS = at.address "temporal" "grpc";
  };
  # Settings of a person or a secret store; empty is not set.
  passEnvironment = [
    "LOG_LEVEL"
    "CONNECT_DEADLINE_SECONDS"
    "SHUTDOWN_GRACE_SECONDS"
    "LARGE_PAYLOAD_RETENTION_DAYS"
    "WORKER_VERSIONING"
    "TEMPORAL_TASK_QUEUES"
  ];
  probe.http = { port = "health"; path = "/readyz"; };
}
