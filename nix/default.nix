# The index: wires mechanism (nix/) to declarations (images/) and names every output of the flake.
{ self, nixpkgs-toolchain, poetry2nix, nixVersion ? builtins.nixVersion }:
let
  inherit (builtins) attrNames filter fromTOML listToAttrs map mapAttrs readFile;

  systems = [ "x86_64-linux" "aarch64-linux" ];
  eachSystem = make: listToAttrs (map (system: { name = system; value = make system; }) systems);

  src = ../src;
  project = fromTOML (readFile ../pyproject.toml);
  declarationFiles = import ../images;
  topology = import ../images/topology.nix;

  pep508 = import ./pep508.nix { };
  wheelTags = import ./wheel-tags.nix { };
  poetryLock = import ./poetry-lock.nix { inherit pep508 wheelTags; };
  ownership = import ./ownership.nix { };
  sources = import ./sources.nix { };
  builders = import ./builders.nix { };

  lockText = readFile ../poetry.lock;
  lock = poetryLock.parseLock lockText;
  groups = attrNames project.tool.poetry.group;

  # The declarations as they stand inside containers, or on this machine's loopback address (./embedded).
  declareFor =
    place:
    let
      declarations = ownership.check (
        mapAttrs (name: declare: declare { at = place declarations name; } // { inherit name; }) declarationFiles
      );
    in
    declarations;
  inContainers = declareFor (import ./places.nix { }).container;

  perSystem =
    system:
    let
      toolchain = import ./toolchains/debian { inherit builders; } { inherit system; };
      closures = import ./closure.nix { inherit toolchain poetryLock sources; } {
        inherit lock groups src;
        trims = import ./trims.nix;
      };
      image = import ./image.nix { inherit toolchain closures; };
      boundary = import ./boundary.nix { inherit toolchain closures poetryLock sources; } {
        inherit src project lock;
        declarations = inContainers;
        importNames = import ./import-names.nix;
      };
      images = mapAttrs (name: declaration: image.build name declaration (boundary.checksOf name)) inContainers;
      compose = import ./compose.nix { inherit toolchain image; } { declarations = inContainers; inherit topology images; };
      onLoopback = declareFor ((import ./places.nix { }).loopback compose.portVariable);
      supervisor = import ./supervisor.nix { inherit toolchain closures compose; } {
        declarations = onLoopback;
        inherit topology images;
      };
      shell = import ./shell.nix { inherit toolchain closures poetryLock; } { inherit lock; };
      checks = import ./checks.nix { inherit toolchain closures shell boundary compose supervisor; } {
        root = ../.;
        inherit topology;
      };
      alternative = import ./toolchains/nixpkgs/outputs.nix { inherit builders poetryLock sources; default = toolchain; } {
        inherit system poetry2nix nixVersion project lock lockText groups src;
        nixpkgs = nixpkgs-toolchain;
        trims = import ./trims.nix;
        declarations = inContainers;
      };
    in
    {
      inherit alternative images compose supervisor closures toolchain boundary shell checks;
      packages =
        listToAttrs (map (name: { name = "${name}-image"; value = images.${name}; }) (attrNames images))
        // {
          compose = compose.file;
          supervisor = supervisor.file;
          environment = shell.environment;
          boundary-inputs = boundary.inputs;
          default = images.workflow-worker;
        };
    };

  all = eachSystem perSystem;
in
{
  packages = mapAttrs (_: built: built.packages) all;

  # The same images by nixpkgs and poetry2nix (docs/NIXPKGS.md), where nothing looks until it is asked by name.
  legacyPackages = mapAttrs (_: built: { nixpkgs = built.alternative; }) all;

  devShells = mapAttrs (_: built: { default = built.shell.develop; }) all;

  checks = mapAttrs (_: built: built.checks) all;

  formatter = mapAttrs (_: built: built.shell.formatter) all;

  # What ./dev needs to know: read with `nix eval --json`, never built.
  lib = {
    inherit poetryLock pep508 wheelTags;
    ownership = ownership // { table = ownership.owners inContainers; };
    stack = {
      inherit topology;
      images = mapAttrs (_: declaration: {
        owns = { queues = [ ]; consumerGroups = [ ]; } // (declaration.owns or { });
      }) inContainers;
      passEnvironment = attrNames (
        listToAttrs (
          builtins.concatMap (
            declaration:
            map (name: { inherit name; value = null; }) (
              (declaration.passEnvironment or [ ]) ++ builtins.attrValues (declaration.secrets or { })
            )
          ) (builtins.attrValues inContainers)
        )
      );
    };
    sources = mapAttrs (
      _: built: {
        bases = mapAttrs (_: path: { path = path.outPath; }) built.toolchain.bases;
        wheels = map (wheel: { inherit (wheel) name version file hash; path = (built.toolchain.wheel wheel).outPath; }) (
          poetryLock.wheels { inherit lock; inherit (built.toolchain) target; groups = poetryLock.groupNames lock; }
        );
      }
    ) all;
  };
}
