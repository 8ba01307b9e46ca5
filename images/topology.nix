# How the images stand together: what runs, and which port of this machine's loopback address each one is published on.
{
  services = [
    "redis"
    "temporal"
    "workflow-server"
    "workflow-worker"
    "temporal-worker"
  ];

  published = {
    redis.client = 6379;
    temporal.grpc = 7233;
    temporal.ui = 8233;
    workflow-server.http = 8080;
    workflow-worker.health = 4000;
    temporal-worker.health = 4001;
  };
}
