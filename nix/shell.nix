# The developer's environment: Python with every group, pytest, ruff, mypy, temporal, redis-server, redis-cli and, for the
# tests, valkey-server, from the same locks as the images. `nix develop` enters it; ./dev test runs in it.
{ toolchain, closures, poetryLock }:
{ lock }:
let
  redis = (closures.base "redis").out;
  valkey = (closures.base "valkey").out;
  python = (closures.base "python").out;
  through = base: program: toolchain.throughLoader { inherit base; program = "usr/bin/${program}"; };
  wheels = poetryLock.wheels { inherit lock; inherit (toolchain) target; groups = poetryLock.groupNames lock; };
  module = name: toolchain.throughLoader { base = python; program = "usr/bin/python${toolchain.pythonVersion}"; argv0 = "@python@"; } ++ [ "-m" name ];
  bash = toolchain.run {
    name = "bash";
    program = "program";
    modules = [ "document" ];
    document = { source = "${toolchain.base "shell"}/usr/bin/bash-static"; program = "bash"; };
  };
in
rec {
  # The component of one development tool.
  #
  # Type: tool :: String -> Derivation
  # Example: "${tool "ruff"}/bin/ruff"
  tool = name: (builtins.head (closures.components (builtins.filter (wheel: wheel.name == name) wheels))).out;

  # `nix fmt`: formats Python. There is no formatter for Nix files in the locked sources.
  #
  # Type: formatter :: Derivation
  formatter = toolchain.run {
    name = "fmt";
    program = "script";
    modules = [ "document" ];
    document = {
      name = "fmt";
      argv = toolchain.throughLoader { base = python; path = "${tool "ruff"}/bin/ruff"; } ++ [ "format" ];
    };
  };

  # Type: environment :: Derivation
  # Example: nix build .#environment && result/bin/python3
  environment = closures.environment {
    name = "development";
    components = closures.components wheels;
    programs = {
      redis-server = through redis "redis-server";
      redis-cli = through redis "redis-cli";
      valkey-server = through valkey "valkey-server";
      pytest = module "pytest";
      mypy = module "mypy";
    };
  };

  # `nix develop` insists on a derivation built by a program called bash; the sandbox has none, so it is Debian's static one.
  develop = derivation {
    inherit (toolchain) system;
    name = "workflow-runtime-shell";
    outputs = [ "out" ]; # named, because `nix develop` looks for the variable
    builder = "${bash}/bin/bash";
    args = [ "-c" "echo 'enter this with: nix develop' >&2; exit 1" ];
    shellHook = ''
      export PATH=${environment}/bin:$PATH PYTHONPATH=src
    '';
  };
}
