# images + topology -> a compose file: attrs, then YAML. Valid for docker-compose 1.29 and for Compose v2.
{ toolchain, image }:
{ declarations, topology, images }:
let
  inherit (builtins) attrNames listToAttrs map mapAttrs replaceStrings;

  upper =
    replaceStrings
      ([ "-" ] ++ lower)
      ([ "_" ] ++ [ "A" "B" "C" "D" "E" "F" "G" "H" "I" "J" "K" "L" "M" "N" "O" "P" "Q" "R" "S" "T" "U" "V" "W" "X" "Y" "Z" ]);
  lower = [ "a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l" "m" "n" "o" "p" "q" "r" "s" "t" "u" "v" "w" "x" "y" "z" ];

  service =
    name:
    let
      declaration = declarations.${name};
      published = topology.published.${name} or { };
      volumes = declaration.volumes or { };
      directories = declaration.directories or { };
    in
    {
      # Replaced by <name>:<content hash> when the file is written, which needs the built image.
      image = "@image:${name}@";
      restart = "unless-stopped";
      init = false;
      read_only = true;
      cap_drop = [ "ALL" ];
      security_opt = [ "no-new-privileges:true" ];
      tmpfs = [ "/tmp" ];
      ports = map (
        port: "127.0.0.1:\${${portVariable name port}:-${toString published.${port}}}:${toString declaration.ports.${port}}"
      ) (attrNames published);
      volumes =
        map (volume: "${name}-${volume}:${volumes.${volume}}") (attrNames volumes)
        ++ map (directory: "\${${directories.${directory}}:-./${directory}}:/run/workflow/${directory}:ro") (attrNames directories);
      environment = listToAttrs (
        map (directory: { name = directories.${directory}; value = "/run/workflow/${directory}"; }) (attrNames directories)
      ) // listToAttrs (map (variable: { name = variable; value = "\${${variable}:-}"; }) (declaration.passEnvironment or [ ]));
      secrets = attrNames (declaration.secrets or { });
      depends_on = listToAttrs (map (need: { name = need; value.condition = "service_healthy"; }) (declaration.needs or [ ]));
      healthcheck = {
        test = [ "CMD" ] ++ image.probe declaration;
        interval = "2s";
        timeout = "5s";
        retries = 30;
        start_period = "5s";
      };
      stop_grace_period = "30s";
    };

  withoutEmpty = attrs: removeAttrs attrs (builtins.filter (name: attrs.${name} == [ ] || attrs.${name} == { }) (attrNames attrs));

  # The environment variable that moves a published port of this machine.
  #
  # Type: portVariable :: String -> String -> String
  # Example: portVariable "workflow-worker" "health"
  #          => "WORKFLOW_WORKER_HEALTH_PORT"
  portVariable = name: port: "${upper name}_${upper port}_PORT";

  attrs = {
    services = listToAttrs (map (name: { inherit name; value = withoutEmpty (service name); }) topology.services);
    volumes = listToAttrs (
      builtins.concatMap (
        name: map (volume: { name = "${name}-${volume}"; value = { }; }) (attrNames (declarations.${name}.volumes or { }))
      ) topology.services
    );
    # Read by the process from /run/secrets; /dev/null where the person has none.
    secrets = listToAttrs (
      builtins.concatMap (
        name:
        let
          secrets = declarations.${name}.secrets or { };
        in
        map (secret: { name = secret; value.file = "\${${secrets.${secret}}:-/dev/null}"; }) (attrNames secrets)
      ) topology.services
    );
  };
in
{
  # `attrs` is the file as data, `{ services, volumes, secrets }`, so that tests read it without a build.
  inherit attrs portVariable;

  # The file itself.
  #
  # Type: file :: Derivation
  # Example: nix build .#compose && docker-compose -f result up
  file = toolchain.run {
    name = "docker-compose.yml";
    program = "compose";
    modules = [ "document" ];
    document = {
      inherit attrs;
      images = mapAttrs (_: built: built.meta) images;
    };
  };
}
