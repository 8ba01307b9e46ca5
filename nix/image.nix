# A closure and its declaration -> an image archive and its description.
{ toolchain, closures }:
let
  containerPaths = {
    python = "/app/bin/python3";
  };
in
rec {
  # How a declared program starts inside its image.
  #
  # Type: entrypoint :: Declaration -> [ String ]
  # Example: entrypoint { program.python = "workflow_worker"; }
  #          => [ "/app/bin/python3" "-I" "-m" "workflow_worker" ]
  entrypoint =
    { program, ... }:
    if program ? python then
      [ containerPaths.python "-I" "-m" program.python ]
    else if program ? debian then
      [ "/usr/bin/${program.debian}" ]
    else
      [ "/app/bin/${program.wheel}" ];

  # The command of a health check inside the image; no shell anywhere.
  #
  # Type: probe :: Declaration -> [ String ]
  # Example: probe { base = "redis"; probe.command = [ "redis-cli" "ping" ]; … }
  #          => [ "/usr/bin/redis-cli" "ping" ]
  probe =
    { base, probe, ports, ... }:
    if probe ? http then
      [ containerPaths.python "-I" "-m" "workflow_runtime.service.probe" "http://127.0.0.1:${toString ports.${probe.http.port}}${probe.http.path}" ]
    else
      [ "${if base == "static" then "/app/bin" else "/usr/bin"}/${builtins.head probe.command}" ] ++ builtins.tail probe.command;

  # How an image starts and what it says of itself (/etc/workflow-runtime/image.json), whatever assembles it.
  #
  # Type: describe :: String -> Declaration -> { config, manifest, volumes }
  # Example: (describe "redis" declaration).config.entrypoint
  #          => [ "/usr/bin/redis-server" ]
  describe =
    name: declaration:
    let
      wheels = closures.wheelsOf name declaration;
      owns = declaration.owns or { };
    in
    {
      volumes = builtins.attrValues (declaration.volumes or { });
      config = {
        entrypoint = entrypoint declaration;
        arguments = declaration.arguments or [ ];
        env = (declaration.env or { }) // (if declaration.base == "python" then { PYTHONUNBUFFERED = "1"; } else { });
        ports = builtins.attrValues declaration.ports;
        labels = {
          "org.opencontainers.image.title" = name;
          "org.opencontainers.image.licenses" = "Apache-2.0";
        };
      };
      manifest = {
        inherit name;
        queues = owns.queues or [ ];
        consumerGroups = owns.consumerGroups or [ ];
        closure = {
          base = declaration.base;
          wheels = builtins.listToAttrs (map (wheel: { inherit (wheel) name; value = wheel.version; }) wheels);
          packages = declaration.packages or [ ];
        };
      };
    };

  # Build the image of a declaration whose `at` was that of a container.
  #
  # Type: build :: String -> Declaration -> [ Derivation ] -> Derivation
  # Example: build "redis" declaration [ ]
  #          => «derivation …-redis-image.tar.drv»
  build =
    name: declaration: checks:
    toolchain.run {
      name = "${name}-image.tar";
      program = "image";
      modules = [ "document" "tarlayer" "trees" ];
      outputs = [ "out" "meta" "identity" ];
      # The image cannot be built before its checks have passed.
      attributes = { inherit checks; };
      document = describe name declaration // {
        inherit name;
        arch = toolchain.oci;
        layers = map (part: part.layer) (closures.closureOf name declaration).all;
        python = if declaration.base == "python" then toolchain.pythonVersion else null;
      };
    };
}
