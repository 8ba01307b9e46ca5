# The stand-in for poetry2nix, used without what toolchains/nixpkgs/poetry2nix.nix does: each way that goes wrong.
let
  pkgs = import ./pkgs.nix;
  poetry2nix = import ./poetry2nix.nix { inherit pkgs; };
  given = import ../../../nix/toolchains/nixpkgs/poetry2nix.nix { };
  wheelTags = import ../../../nix/wheel-tags.nix { };
  poetryLock = import ../../../nix/poetry-lock.nix { pep508 = import ../../../nix/pep508.nix { }; inherit wheelTags; };

  project = builtins.fromTOML (builtins.readFile ../../../pyproject.toml);
  lockText = builtins.readFile ../../../poetry.lock;
  groups = [ "main" "dev" ];
  wheels = poetryLock.wheels {
    inherit groups;
    lock = poetryLock.parseLock lockText;
    target = { arch = "x86_64"; glibc = [ 2 40 ]; pythonTag = "313"; pythonFullVersion = "3.13.11"; };
  };
  source = wheel: "/wheel/${wheel.file}";

  overlay = given.overlay { tools = pkgs.python313.pkgs; inherit wheels source; };
  tools = [ "wheelUnpackHook" "pypaInstallHook" ];

  careful = given.arguments {
    inherit project groups overlay;
    python = pkgs.python313;
    lock = given.lockText wheels lockText;
  };

  installed = arguments: map (package: package.outPath) (poetry2nix.mkPoetryPackages (careful // arguments)).poetryPackages;
in
{
  careful = installed { };
  whole-lock = installed { poetrylock = ../../../poetry.lock; };
  pyproject-as-it-is = installed { pyProject = project; groups = [ ]; };
  own-fetcher = installed { overrides = [ (final: previous: { inherit (pkgs.python313.pkgs) wheelUnpackHook pypaInstallHook; }) ]; };
  own-tools = installed { overrides = [ (final: previous: removeAttrs (overlay final previous) tools) ]; };
  check-groups = installed { groups = [ "main" ]; checkGroups = [ "dev" ]; };
}
