# Redis with every write on disk before it is acknowledged: the event ledger must not lose what it accepted.
{ at }:
{
  base = "redis";
  program.debian = "redis-server";
  arguments = [
    "--bind" at.bind
    "--port" (at.port "client")
    "--dir" (at.volume "data")
    "--appendonly" "yes"
    "--appendfsync" "always"
    "--save" ""
    "--maxmemory-policy" "noeviction"
    # Reachable only from the stack's own network and, through its published port, from loopback.
    "--protected-mode" "no"
  ];

  ports.client = 6379;
  volumes.data = "/data";
  # -e: a server that answers with an error, as while it loads its data or cannot write them, is not healthy.
  probe.command = [ "redis-cli" "-e" "-h" "127.0.0.1" "-p" (at.port "client") "ping" ];
}
