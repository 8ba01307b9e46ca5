# Where a declared service stands: in a container of its own, or as a process on this machine's loopback address.
# A place answers what a declaration may ask through `at`: bind, port, address, volume.
{ }:
{
  # Type: container :: { name :: Declaration } -> String -> At
  # Example: (container declarations "redis").port "client"
  #          => "6379"
  container = declarations: name: {
    bind = "0.0.0.0";
    port = port: toString declarations.${name}.ports.${port};
    address = service: port: "${service}:${toString declarations.${service}.ports.${port}}";
    volume = volume: declarations.${name}.volumes.${volume};
  };

  # Type: loopback :: (String -> String -> String) -> { name :: Declaration } -> String -> At
  # Example: (loopback portVariable declarations "redis").port "client"
  #          => "%(ENV_REDIS_CLIENT_PORT)s"
  loopback = portVariable: declarations: name: {
    bind = "127.0.0.1";
    port = port: "%(ENV_${portVariable name port})s";
    address = service: port: "127.0.0.1:%(ENV_${portVariable service port})s";
    volume = volume: "%(ENV_WORKFLOW_STATE)s/data/${name}-${volume}";
  };
}
