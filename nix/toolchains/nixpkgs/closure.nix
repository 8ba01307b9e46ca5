# Image declaration -> everything it contains, installed by poetry2nix. It has the interface of nix/closure.nix as far as
# boundary.nix and image.nix ask for it.
{ toolchain, closures, default, pkgs, poetry2nix, given, poetryLock }:
{ project, lock, lockText }:
let
  # The packages of groups as poetry2nix installs them, proved to be those of the default toolchain.
  install =
    name: groups:
    let
      wheelsFor = target: poetryLock.wheels { inherit lock groups target; };
      wheels = wheelsFor toolchain.target;
      installed = poetry2nix.mkPoetryPackages (
        given.arguments {
          inherit project groups;
          inherit (toolchain) python;
          lock = given.lockText wheels lockText;
          overlay = given.overlay { tools = toolchain.python.pkgs; source = default.wheel; inherit wheels; };
        }
      );
    in
    {
      inherit (installed) python;
      packages = given.check name (wheelsFor default.target) (given.modules installed.poetryPackages);
    };

  # First-party packages as a Python package, so that an environment takes them in.
  module =
    python: name: packages:
    python.pkgs.toPythonModule (
      pkgs.linkFarm "${name}-source" [
        { name = python.sitePackages; path = "${(closures.firstParty name packages).out}/${python.sitePackages}"; }
      ]
    );
in
rec {
  # The wheels of an image, chosen for nixpkgs' Python.
  #
  # Type: wheelsOf :: String -> Declaration -> [ { name, version, file, hash, groups } ]
  # Example: map (wheel: wheel.name) (wheelsOf "workflow-worker" declaration)
  #          => [ "annotated-types" "anyio" … ]
  wheelsOf = closures.wheelsOf;

  # nixpkgs' Python, where the default toolchain has a base root filesystem.
  #
  # Type: base :: String -> { out }
  # Example: (base "python").out
  #          => «derivation /nix/store/…-python3-3.13.11.drv»
  base = name: { out = toolchain.python; };

  # Everything one image contains.
  #
  # Type: closureOf :: String -> Declaration -> { base, wheels, source }
  # Example: map (package: package.pname) (closureOf "workflow-worker" declaration).wheels
  #          => [ "annotated-types" "anyio" … ]
  closureOf =
    name: declaration:
    let
      # Asked of closures first, because they name an unknown group.
      installed = builtins.seq (wheelsOf name declaration) (install name [ "main" declaration.group ]);
    in
    {
      base = base declaration.base;
      wheels = installed.packages;
      source = module installed.python name declaration.packages;
    };

  # An interpreter that has the given packages, and no others.
  #
  # Type: environment :: { name, components } -> Derivation
  # Example: environment { name = "workflow-worker"; components = closure.wheels ++ [ closure.source ]; }
  #          => «derivation /nix/store/…-python3-3.13.11-env.drv»
  environment = { name, components }: (builtins.head components).pythonModule.withPackages (_: components);

  # Python with every one of the given groups, for a shell.
  #
  # Type: development :: [ String ] -> Derivation
  # Example: development [ "main" "dev" ]
  #          => «derivation /nix/store/…-python3-3.13.11-env.drv»
  development =
    groups:
    environment { name = "development"; components = (install "the shell" groups).packages; };
}
