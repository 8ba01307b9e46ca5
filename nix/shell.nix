# The developer's environment: Python with every group, pytest, ruff, mypy, temporal, redis-server and redis-cli, from
# the same locks as the images. `nix develop` enters it; ./dev test runs in it.
{ toolchain, closures, poetryLock }:
{ lock }:
let
  redis = (closures.base "redis").out;
  python = (closures.base "python").out;
  through = program: toolchain.throughLoader { base = redis; program = "usr/bin/${program}"; };
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
  environment = closures.environment {
    name = "development";
    components = closures.components wheels;
    programs = {
      redis-server = through "redis-server";
      redis-cli = through "redis-cli";
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
