# Stand-ins for what a module of nix/ is given: a toolchain that builds nothing, so that a test sees what would be built.
let
  # What would be built, and a string wherever its path is asked for.
  built =
    request:
    request
    // {
      outPath = "/out/${request.name}";
      out = "/out/${request.name}";
      layer = "/layer/${request.name}";
      meta = "/meta/${request.name}";
      identity = "/identity/${request.name}";
    };
in
{
  inherit built;

  # The request behind a result of `run`, to compare it as data.
  request = result: removeAttrs result [ "outPath" "out" "layer" "meta" "identity" ];

  toolchain = {
    system = "x86_64-linux";
    oci = "amd64";
    pythonVersion = "3.13";
    target = {
      arch = "x86_64";
      glibc = [ 2 41 ];
      pythonFullVersion = "3.13.5";
      pythonTag = "313";
    };
    base = name: "/base/${name}";
    wheel = { file, ... }: "/wheel/${file}";
    run = built;
    pythonBase = built {
      name = "python-base";
      program = "component";
      modules = [ "document" "tarlayer" "trees" ];
      outputs = [ "out" "layer" ];
      document = { name = "python-base"; kind = "base"; source = "/base/python"; prefix = "."; dropped = [ ]; };
    };
    throughLoader = { base, program ? null, path ? "${base}/${program}", argv0 ? path }: [ "/loader" argv0 path ];
  };

  # Two services of which one needs the other; enough for every question a declaration can raise.
  declarations = {
    cache = {
      name = "cache";
      base = "redis";
      program.debian = "redis-server";
      arguments = [ "--port" "6379" ];
      ports.client = 6379;
      volumes.data = "/data";
      probe.command = [ "redis-cli" "ping" ];
    };
    worker = {
      name = "worker";
      base = "python";
      group = "worker";
      packages = [ "app.core" "worker" ];
      program.python = "worker";
      owns.queues = [ "jobs" ];
      owns.consumerGroups = [ "readers" ];
      needs = [ "cache" ];
      ports.health = 4000;
      env.PORT = "4000";
      directories.secrets = "SECRETS_DIR";
      passEnvironment = [ "LOG_LEVEL" ];
      probe.http = { port = "health"; path = "/readyz"; };
      workflowCode = [ "app.core" ];
    };
    tool = {
      name = "tool";
      base = "static";
      group = "tool";
      program.wheel = "tool";
      ports.grpc = 7233;
      ports.ui = 8233;
      probe.command = [ "tool" "health" ];
    };
  };

  topology = {
    services = [ "cache" "tool" "worker" ];
    published = {
      cache.client = 6379;
      tool.ui = 8233;
      worker.health = 4001;
    };
  };

  # `windows` has a package that fits no target of ours: it may disturb nobody but an image that takes it.
  groups = [ "dev" "empty" "tool" "windows" "worker" ];

  lock = ''
    [[package]]
    name = "base-lib"
    version = "1.0"
    groups = ["main", "dev"]
    files = [{file = "base_lib-1.0-py3-none-any.whl", hash = "sha256:aa"}]

    [[package]]
    name = "only-dev"
    version = "2.0"
    groups = ["dev"]
    files = [{file = "only_dev-2.0-py3-none-any.whl", hash = "sha256:bb"}]

    [[package]]
    name = "windows-only"
    version = "2.1"
    groups = ["windows"]
    files = [{file = "windows_only-2.1-cp313-cp313-win_amd64.whl", hash = "sha256:ff"}]

    [[package]]
    name = "tool-bin"
    version = "3.0"
    groups = ["tool"]
    files = [{file = "tool_bin-3.0-py3-none-manylinux2014_x86_64.whl", hash = "sha256:cc"}]

    [[package]]
    name = "worker-lib"
    version = "4.0"
    groups = ["worker"]
    files = [
      {file = "worker_lib-4.0-cp39-abi3-manylinux_2_17_x86_64.whl", hash = "sha256:dd"},
      {file = "worker_lib-4.0.tar.gz", hash = "sha256:ee"},
    ]

    [metadata]
    lock-version = "2.1"
  '';

  trims.trimmed = [ "trimmed/sources" ];

  importNames.only-dev = [ "dev_only" ];

  # A Debian lock of one system, in the form ./dev lock writes.
  debianLock.systems.x86_64-linux = {
    python = {
      treeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
      packages = [
        { name = "libc6"; version = "2.41-12+deb13u4"; }
        { name = "python3.13-minimal"; version = "3.13.5-2+deb13u1"; }
      ];
    };
    redis = {
      treeHash = "sha256-AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
      packages = [ ];
    };
  };
}
