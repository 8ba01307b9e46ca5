# The alternative toolchain: nixpkgs' CPython, which carries its own loader and libraries. It has the interface of the
# default one in toolchains/debian, so that closure.nix and boundary.nix work with either.
{ builders }:
{ system, pkgs, pythonTag }:
let
  inherit (builtins) concatStringsSep fromJSON head match;

  python = pkgs."python${pythonTag}";
  glibc = match "([0-9]+)\\.([0-9]+).*" pkgs.glibc.version;
in
rec {
  inherit system python;

  # What wheels are chosen for: nixpkgs' interpreter and C library.
  #
  # Type: target :: { arch, glibc, pythonTag, pythonFullVersion }
  # Example: target.glibc
  #          => [ 2 40 ]
  target = {
    inherit pythonTag;
    arch = head (match "([^-]+)-linux" system);
    glibc = map fromJSON glibc;
    pythonFullVersion = python.version;
  };

  inherit (python) pythonVersion;

  # How to start a program outside an image. It finds its loader itself, and the launcher of an environment knows what
  # belongs to it, so this is one word: the launcher (`argv0`), a program elsewhere (`path`) or one of the base.
  #
  # Type: throughLoader :: { base, program, path ? null, argv0 ? null } -> [ String ]
  # Example: throughLoader { base = python; program = "usr/bin/python3.13"; }
  #          => [ "/nix/store/…-python3-3.13.11/bin/python3.13" ]
  throughLoader =
    { base, program ? null, path ? null, argv0 ? null }:
    if argv0 != null then
      [ argv0 ]
    else if path != null then
      [ path ]
    else
      # Programs are named as they stand in a Debian base.
      [ "${base}/${concatStringsSep "" (match "usr/(.*)" program)}" ];

  # Run one of nix/builders/ with one JSON document. `modules` are the files it imports: only they are its inputs.
  #
  # Type: run :: { name, program, modules ? [], document, outputs ? [ "out" ] } -> Derivation
  # Example: run { name = "identity"; program = "identity_tree"; modules = [ "document" ]; document = { … }; }
  #          => «derivation /nix/store/…-identity.drv»
  run = import ../../run.nix { inherit builders; } {
    inherit system;
    python = throughLoader { base = python; program = "usr/bin/python${pythonVersion}"; };
  };
}
