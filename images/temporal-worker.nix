# The non-authored domain queues. It works without workflow-worker and refuses the authored queue.
{ at }:
let
  process = import ./process.nix { inherit at; port = "health"; };
in
process // {
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

  ports.health = 4000;
  passEnvironment = process.passEnvironment ++ [
    "TEMPORAL_TASK_QUEUES"
  ];
}
