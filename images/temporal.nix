# Temporal's development server with a database on disk. Production points the same images at a cluster instead.
{ at }:
{
  base = "static";
  group = "temporal";
  program.wheel = "temporal";
  arguments = [
    "server" "start-dev"
    "--ip" at.bind
    "--port" (at.port "grpc")
    "--ui-ip" at.bind
    "--ui-port" (at.port "ui")
    "--db-filename" "${at.volume "data"}/temporal.db"
    "--log-level" "warn"
  ];

  ports.grpc = 7233;
  ports.ui = 8233;
  volumes.data = "/data";
  probe.command = [ "temporal" "operator" "cluster" "health" "--address" "127.0.0.1:${at.port "grpc"}" ];
}
