# What `nix flake check` proves, each as a derivation of its own so that nothing unrelated reruns.
{ toolchain, closures, shell, boundary, compose, supervisor }:
{ root, topology }:
let
  inherit (builtins) listToAttrs map match path replaceStrings;

  base = (closures.base "python").out;

  python = toolchain.throughLoader {
    inherit base;
    program = "usr/bin/python${toolchain.pythonVersion}";
    argv0 = "${shell.environment}/bin/python3";
  };

  ruff = toolchain.throughLoader { inherit base; path = "${shell.tool "ruff"}/bin/ruff"; };

  # One directory or file of the tree as an input of its own, without what tools leave behind.
  source = relative: {
    name = relative;
    value = path {
      path = root + "/${relative}";
      name = replaceStrings [ "/" "." ] [ "-" "_" ] relative;
      filter = file: type: match ".*/(__pycache__|\\.[a-z]+_cache)(/.*)?" (toString file) == null;
    };
  };

  check =
    name: argv: relatives:
    toolchain.run {
      name = "check-${name}";
      program = "run_check";
      modules = [ "document" ];
      document = {
        inherit name argv;
        sources = listToAttrs (map source relatives);
        env = { PYTHONDONTWRITEBYTECODE = "1"; };
      };
    };

  # Published ports by the variable that names each: TEMPORAL_GRPC_PORT = 7233.
  ports = listToAttrs (
    builtins.concatMap (
      service:
      map (port: { name = compose.portVariable service port; value = topology.published.${service}.${port}; }) (
        builtins.attrNames topology.published.${service}
      )
    ) (builtins.attrNames topology.published)
  );

  inherit (import (root + "/tests/nix/golden.nix")) differences;

  code = [ "src" "tests" "devtools" "nix/builders" "pyproject.toml" ];
in
boundary.checks
// {
  lint = check "lint" (ruff ++ [ "check" "--no-cache" "." ]) code;
  format = check "format" (ruff ++ [ "format" "--no-cache" "--check" "." ]) code;
  types = check "types" (python ++ [ "-m" "mypy" "--cache-dir=/dev/null" "src" "nix/builders" "devtools" ]) [
    "src"
    "devtools"
    "nix/builders"
    "pyproject.toml"
  ];
  unit = check "unit" (python ++ [ "-m" "pytest" "-q" "-p" "no:cacheprovider" "tests/unit" ]) (code ++ [ "docs" "examples" "images" "poetry.lock" ]);

  golden =
    if differences == [ ] then
      check "golden" (python ++ [ "-c" "print('every golden file holds')" ]) [ "tests/nix" ]
    else
      throw "nix/ does not give what tests/nix/golden expects in ${builtins.concatStringsSep ", " differences}: see the difference with ./dev test -- tests/nix";

  # The real thing without an engine or a network: both servers, the three closures, an authored run, a domain job.
  end-to-end = toolchain.run {
    name = "check-end-to-end";
    program = "sandbox_run";
    modules = [ "document" ];
    document = {
      inherit (supervisor.attrs) services;
      inherit ports python;
      sources = listToAttrs (map source [ "src" "devtools" "examples" ]);
      example = "examples/ticket-follow-up.json";
      job = {
        queue = "alga-jobs";
        workflow = "genericJobWorkflow";
        input = { jobId = "1"; jobName = "diagnostics.echo"; tenantId = "default"; data = { }; };
      };
    };
  };

  compose = compose.file;
  supervisor = supervisor.file;
}
