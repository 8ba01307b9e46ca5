# The modules of toolchains/nixpkgs for golden files, given stand-ins for nixpkgs and poetry2nix.
{ stubs, poetryLock, sources, closures, described }:
let
  inherit (builtins) concatStringsSep fromJSON head listToAttrs map unsafeDiscardStringContext;

  pkgs = import ./pkgs.nix;
  builders = names: "/builders/${concatStringsSep "+" names}";
  lock = poetryLock.parseLock stubs.lock;
  project = {
    project.dependencies = [ "base-lib (>=1,<2)" ];
    tool.poetry = {
      name = "app";
      group = {
        dev.dependencies.only-dev = ">=2";
        empty.dependencies = { };
        tool.dependencies.tool-bin = ">=3";
        worker.dependencies.worker-lib = ">=4";
      };
    };
  };

  toolchain = import ../../../nix/toolchains/nixpkgs { inherit builders; } {
    inherit pkgs;
    inherit (stubs.toolchain) system;
    inherit (stubs.toolchain.target) pythonTag;
  };
  given = import ../../../nix/toolchains/nixpkgs/poetry2nix.nix { };
  installed = import ../../../nix/toolchains/nixpkgs/closure.nix {
    inherit toolchain closures pkgs given poetryLock;
    default = stubs.toolchain;
    poetry2nix = import ./poetry2nix.nix { inherit pkgs; };
  } { inherit project lock; lockText = stubs.lock; };
  image = import ../../../nix/toolchains/nixpkgs/image.nix {
    inherit toolchain pkgs;
    closures = installed;
    image = import ../../../nix/image.nix { inherit toolchain; closures = installed; };
  };

  # A package or an environment by what it holds, its path included, so that all of it is evaluated.
  plain = thing: {
    path = unsafeDiscardStringContext thing.outPath;
    packages = map (package: unsafeDiscardStringContext package.outPath) (thing.packages or [ ]);
  };
in
{
  modules = {
    "toolchains-nixpkgs" = toolchain;
    "toolchains-nixpkgs-poetry2nix" = given;
    "toolchains-nixpkgs-closure" = installed;
    "toolchains-nixpkgs-image" = image;
    "toolchains-nixpkgs-outputs" = import ../../../nix/toolchains/nixpkgs/outputs.nix {
      inherit builders poetryLock sources;
      default = stubs.toolchain;
    } {
      inherit project lock;
      inherit (stubs.toolchain) system;
      inherit (stubs) groups trims declarations;
      nixpkgs.legacyPackages.x86_64-linux = pkgs;
      poetry2nix = ./poetry2nix.nix;
      lockText = stubs.lock;
      src = ../../../src;
      nixVersion = "2.18.1";
    };
  };

  adapted = {
    "toolchains-nixpkgs.run" = request: described (toolchain.run request);
    "toolchains-nixpkgs-closure.base" = name: plain (installed.base name).out;
    "toolchains-nixpkgs-closure.closureOf" =
      name:
      let
        closure = installed.closureOf name stubs.declarations.${name};
      in
      {
        base = plain closure.base.out;
        wheels = map (wheel: plain wheel // { inherit (wheel) src; }) closure.wheels;
        source = plain closure.source // { inherit (closure.source) entries; };
      };
    "toolchains-nixpkgs-closure.development" = groups: plain (installed.development groups);
    "toolchains-nixpkgs-closure.environment" =
      name:
      let
        closure = installed.closureOf name stubs.declarations.${name};
      in
      plain (installed.environment { inherit name; components = closure.wheels ++ [ closure.source ]; });
    "toolchains-nixpkgs-closure.wheelsOf" = name: installed.wheelsOf name stubs.declarations.${name};
    "toolchains-nixpkgs-image.build" =
      name: checks:
      let
        inherit (image.build name stubs.declarations.${name} checks) arguments;
        identity = head arguments.contents;
      in
      removeAttrs arguments [ "contents" ]
      // {
        contents = [ (fromJSON (unsafeDiscardStringContext identity.document)) (builtins.elemAt arguments.contents 1).entries ];
        inherit (identity) checks;
      };
    # The packages of an overlay are what they are changed to.
    "toolchains-nixpkgs-poetry2nix.overlay" =
      { tools, wheels }:
      given.overlay { inherit tools wheels; source = wheel: "/wheel/${wheel.file}"; } { } (
        listToAttrs (map (wheel: { inherit (wheel) name; value.overridePythonAttrs = change: change { src = "fetched"; }; }) wheels)
      );
    # The file as text: its path is a store path.
    "toolchains-nixpkgs-poetry2nix.arguments" =
      request:
      let
        arguments = given.arguments request;
      in
      arguments // { poetrylock = unsafeDiscardStringContext (builtins.readFile arguments.poetrylock); };
    "toolchains-nixpkgs-poetry2nix.modules" = packages: map (package: package.pname) (given.modules packages);
  };
}
