# Where a declared service stands: in a container of its own, or as a process on this machine's loopback address.
# A place answers what a declaration may ask through `at`: bind, port, address, volume.
{ }:
let
  inherit (builtins) attrNames concatStringsSep toJSON;

  # What the declaration `asker` looks up, or an error that names it and what there is.
  find =
    asker: what: from: name:
    from.${name} or (throw "images/${asker}.nix asks for the ${what} ${toJSON name}; there ${
      if from == { } then "is none" else "are ${concatStringsSep ", " (attrNames from)}"
    }");

  portOf =
    asker: declarations: service: port:
    find asker "port of ${service}" ((find asker "service" declarations service).ports or { }) port;

  volumeOf = declarations: name: volume: find name "volume" (declarations.${name}.volumes or { }) volume;
in
{
  # A container of its own on the network of the stack.
  #
  # Type: container :: { name :: Declaration } -> String -> At
  # Example: (container declarations "redis").port "client"
  #          => "6379"
  container = declarations: name: {
    bind = "0.0.0.0";
    port = port: toString (portOf name declarations name port);
    address = service: port: "${service}:${toString (portOf name declarations service port)}";
    volume = volumeOf declarations name;
  };

  # A process on this machine; supervisord fills in the ports that ./dev chose.
  #
  # Type: loopback :: (String -> String -> String) -> { name :: Declaration } -> String -> At
  # Example: (loopback portVariable declarations "redis").port "client"
  #          => "%(ENV_REDIS_CLIENT_PORT)s"
  loopback =
    portVariable: declarations: name:
    let
      published = service: port: builtins.seq (portOf name declarations service port) "%(ENV_${portVariable service port})s";
    in
    {
      bind = "127.0.0.1";
      port = port: published name port;
      address = service: port: "127.0.0.1:${published service port}";
      volume = volume: builtins.seq (volumeOf declarations name volume) "%(ENV_WORKFLOW_STATE)s/data/${name}-${volume}";
    };
}
