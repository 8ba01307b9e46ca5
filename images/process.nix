# What the three Python processes have in common; each declaration adds its own. `port` names the port of its health check.
{ at, port }:
{
  base = "python";
  needs = [ "redis" "temporal" ];
  env = {
    BIND_HOST = at.bind;
    PORT = at.port port;
    REDIS_URL = "redis://${at.address "redis" "client"}/0";
    TEMPORAL_ADDRESS = at.address "temporal" "grpc";
  };
  # Settings of a person or a secret store; empty is not set.
  passEnvironment = [
    "CONNECT_DEADLINE_SECONDS"
    "LARGE_PAYLOAD_RETENTION_DAYS"
    "LOG_LEVEL"
    "SHUTDOWN_GRACE_SECONDS"
    "WORKER_VERSIONING"
  ];
  probe.http = { inherit port; path = "/readyz"; };
}
