# What the flake offers of this toolchain: an image for each declaration that runs Python, and a shell. The names come
# from the declarations alone; only a value forces the inputs nixpkgs and poetry2nix.
{ builders, poetryLock, sources, default }:
{
  system,
  nixpkgs,
  poetry2nix,
  project,
  lock,
  lockText,
  groups,
  src,
  trims,
  declarations,
  nixVersion,
}:
let
  inherit (builtins) attrNames compareVersions filter listToAttrs map;

  oldest = "2.18";

  pkgs =
    if compareVersions nixVersion oldest < 0 then
      throw "the nixpkgs toolchain needs Nix ${oldest} or later, because nixpkgs does; this is Nix ${nixVersion}. Install a newer one, or build the default image (nix build .#workflow-worker-image), which does without nixpkgs."
    else
      nixpkgs.legacyPackages.${system};

  toolchain = import ./default.nix { inherit builders; } { inherit system pkgs; inherit (default.target) pythonTag; };
  closures = import ./closure.nix {
    inherit toolchain default pkgs poetryLock;
    closures = import ../../closure.nix { inherit toolchain poetryLock sources; } { inherit lock groups src trims; };
    poetry2nix = import poetry2nix { inherit pkgs; };
    given = import ./poetry2nix.nix { };
  } { inherit project lock lockText; };
  boundary = import ../../boundary.nix { inherit toolchain closures poetryLock sources; } {
    inherit src project lock declarations;
    importNames = import ../../import-names.nix;
  };
  image = import ./image.nix {
    inherit toolchain closures pkgs;
    image = import ../../image.nix { inherit toolchain closures; };
  };

  python = filter (name: declarations.${name}.base == "python") (attrNames declarations);
in
listToAttrs (
  map (name: {
    name = "${name}-image";
    value = image.build name declarations.${name} (boundary.checksOf name);
  }) python
)
// {
  devShell = pkgs.mkShell {
    name = "workflow-runtime-nixpkgs";
    packages = [ (closures.development (poetryLock.groupNames lock)) pkgs.redis ];
    shellHook = "export PYTHONPATH=src";
  };
}
