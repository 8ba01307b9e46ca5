# Runs one of nix/builders/ inside a build. Each toolchain starts it with a Python of its own; nothing else differs.
{ builders }:
# A derivation that runs a builder with one JSON document. `modules` are the files the program imports: only they are
# its inputs.
#
# Type: run :: { system, python :: [ String ] } -> { name, program, modules ? [], document, outputs ? [ "out" ], attributes ? {} } -> Derivation
# Example: run { system = "x86_64-linux"; python = [ "/nix/store/…/bin/python3.13" ]; } { name = "image"; program = "image"; modules = [ "document" ]; document = { … }; }
#          => «derivation /nix/store/…-image.drv»
{ system, python }:
{ name, program, modules ? [ ], document, outputs ? [ "out" ], attributes ? { } }:
let
  command = python ++ [ "-I" "-B" "-X" "utf8" (builders ([ program ] ++ modules)) program ];
in
derivation (
  {
    inherit name system outputs;
    builder = builtins.head command;
    args = builtins.tail command;
    document = builtins.toJSON ({ version = 1; } // document);
    passAsFile = [ "document" ];
  }
  // attributes
)
