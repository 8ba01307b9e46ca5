# images + topology -> a supervisord configuration that runs the same closures as processes of this machine, for when no
# container engine answers. Ports, state and secrets directories come from the environment ./dev sets.
{ toolchain, closures, compose }:
{ declarations, topology, images }:
let
  inherit (builtins) attrNames listToAttrs map;

  environmentOf =
    name:
    let
      declaration = declarations.${name};
      directories = builtins.attrValues (declaration.directories or { });
    in
    # What a declaration passes from outside is inherited: supervisord could not read back a value with quotes in it.
    (declaration.env or { })
    // listToAttrs (map (variable: { name = variable; value = "%(ENV_${variable})s"; }) directories)
    // { WORKFLOW_RUNTIME_IMAGE_JSON = "${images.${name}.identity}"; };

  commandOf =
    name: declaration:
    let
      closure = closures.closureOf name declaration;
      base = closure.base.out;
      arguments = declaration.arguments or [ ];
      environment = closures.environment { inherit name; components = closure.wheels ++ [ closure.source ]; };
    in
    if declaration.program ? python then
      toolchain.throughLoader {
        inherit base;
        program = "usr/bin/python${toolchain.pythonVersion}";
        argv0 = "${environment}/bin/python3";
      }
      ++ [ "-I" "-m" declaration.program.python ]
      ++ arguments
    else if declaration.program ? debian then
      toolchain.throughLoader { inherit base; program = "usr/bin/${declaration.program.debian}"; } ++ arguments
    else
      # A program that comes as a wheel is statically linked: it starts anywhere.
      [ "${closures.environment { inherit name; components = closure.wheels; }}/bin/${declaration.program.wheel}" ] ++ arguments;
in
rec {
  # Type: attrs :: { services :: [ { name, command, environment, volumes } ] }
  # Example: map (service: service.name) attrs.services
  #          => [ "redis" "temporal" "workflow-server" … ]
  attrs.services = map (name: {
    inherit name;
    command = commandOf name declarations.${name};
    environment = environmentOf name;
    volumes = map (volume: "${name}-${volume}") (attrNames (declarations.${name}.volumes or { }));
  }) topology.services;

  # Type: file :: Derivation
  # Example: nix build .#supervisor && cat result
  file = toolchain.run {
    name = "supervisord.conf";
    program = "supervisor_conf";
    modules = [ "document" ];
    document = { inherit attrs; };
  };
}
