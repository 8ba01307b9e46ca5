# What golden files call: `modules`, every file of nix/ given its tools, and `subject`, a function or value of one of
# them. Where arguments or results are not plain data, `adapted` has a form of it that takes and gives plain data.
let
  stubs = import ./stubs.nix;
  inherit (builtins)
    attrNames
    concatMap
    filter
    foldl'
    fromJSON
    isFunction
    isString
    map
    mapAttrs
    readDir
    split
    toJSON
    unsafeDiscardStringContext
    ;

  pep508 = import ../../nix/pep508.nix { };
  wheelTags = import ../../nix/wheel-tags.nix { };
  poetryLock = import ../../nix/poetry-lock.nix { inherit pep508 wheelTags; };
  lock = poetryLock.parseLock stubs.lock;
  sources = { packages, ... }: "/sources/${builtins.concatStringsSep "+" packages}";
  closures = import ../../nix/closure.nix { inherit (stubs) toolchain; inherit poetryLock sources; } {
    inherit lock;
    inherit (stubs) groups trims;
    src = ../../src;
  };
  image = import ../../nix/image.nix { inherit (stubs) toolchain; inherit closures; };
  images = mapAttrs (name: _: stubs.built { name = "${name}-image"; }) stubs.declarations;
  compose = import ../../nix/compose.nix { inherit (stubs) toolchain; inherit image; } {
    inherit (stubs) declarations topology;
    inherit images;
  };
  debian =
    system: lock:
    import ../../nix/toolchains/debian { builders = names: "/builders/${builtins.concatStringsSep "+" names}"; } {
      inherit system lock;
    };

  alternative = import ./nixpkgs/subjects.nix { inherit stubs poetryLock sources closures described; };

  modules = alternative.modules // {
    inherit pep508 compose image;
    "wheel-tags" = wheelTags;
    "poetry-lock" = poetryLock;
    closure = closures;
    ownership = import ../../nix/ownership.nix { };
    places = import ../../nix/places.nix { };
    sources = import ../../nix/sources.nix { };
    builders = import ../../nix/builders.nix { };
    run = import ../../nix/run.nix { builders = names: "/builders/${builtins.concatStringsSep "+" names}"; };
    boundary = import ../../nix/boundary.nix { inherit (stubs) toolchain; inherit closures poetryLock sources; } {
      inherit lock;
      inherit (stubs) declarations importNames;
      src = ../../src;
      project = {
        project.dependencies = [ "base-lib (>=1,<2)" ];
        tool.poetry.group.worker.dependencies."worker-lib" = ">=4";
      };
    };
    supervisor = import ../../nix/supervisor.nix { inherit (stubs) toolchain; inherit closures compose; } {
      inherit (stubs) declarations topology;
      inherit images;
    };
    shell = import ../../nix/shell.nix { inherit (stubs) toolchain; inherit closures poetryLock; } {
      lock = lock // { package = filter (package: package.name != "windows-only") lock.package; };
    };
    "toolchains-debian" = debian "x86_64-linux" stubs.debianLock;
    checks = import ../../nix/checks.nix {
      inherit (stubs) toolchain;
      inherit closures;
      inherit (modules) shell boundary compose supervisor;
    } { root = ../..; inherit (stubs) topology; };
  };

  call = foldl' (function: argument: function argument);

  # Every file below a directory, by its relative path.
  files =
    directory:
    let
      below =
        prefix: at:
        concatMap (
          name: if (readDir at).${name} == "directory" then below "${prefix}${name}/" "${at}/${name}" else [ "${prefix}${name}" ]
        ) (attrNames (readDir at));
    in
    below "" directory;

  # A derivation as data, without the hashes in store paths.
  described =
    drv:
    let
      scrub = text: builtins.concatStringsSep "/nix/store/…-" (filter isString (split "/nix/store/[0-9a-z]{32}-" (unsafeDiscardStringContext text)));
      request = { inherit (drv) name system builder; } // (
        if drv ? outputHash then { inherit (drv) outputHash outputHashAlgo outputHashMode; } else { inherit (drv) args outputs document; }
      );
    in
    fromJSON (scrub (toJSON request));

  adapted = alternative.adapted // {
    "builders" = names: attrNames (readDir (modules.builders names));
    # The lines of the real images/*.nix and pyproject.toml move with every edit; which ones were found does not.
    "boundary.manifestOf" =
      name:
      let
        manifest = modules.boundary.manifestOf name;
      in
      removeAttrs manifest [ "pyproject" ] // { declaration.file = manifest.declaration.file; };
    "boundary.check" = name: { inherit (stubs.request (modules.boundary.check name)) name program modules; };
    "boundary.ownership" = name: stubs.request (modules.boundary.ownership name);
    "boundary.checksOf" = name: map (check: check.name) (modules.boundary.checksOf name);
    "closure.base" = name: stubs.request (closures.base name);
    "closure.components" = wheels: map stubs.request (closures.components wheels);
    "closure.firstParty" = name: packages: stubs.request (closures.firstParty name packages);
    "closure.environment" = request: stubs.request (closures.environment request);
    "image.build" = name: declaration: checks: stubs.request (image.build name declaration checks);
    # The answers of a place are functions: the golden asks each of them.
    "places.container" = asked (modules.places.container);
    "places.loopback" = asked (modules.places.loopback (service: port: "${service}/${port}"));
    "poetry-lock.wheels" = { text, groups, target }: poetryLock.wheels { lock = poetryLock.parseLock text; inherit groups target; };
    "poetry-lock.groupNames" = text: poetryLock.groupNames (poetryLock.parseLock text);
    "shell.environment" = stubs.request modules.shell.environment;
    "run" = start: request: described (modules.run start request);
    "sources" = packages: files (modules.sources { src = ./fixtures/src; inherit packages; });
    "toolchains-debian.base" = system: name: described ((debian system stubs.debianLock).base name);
    "toolchains-debian.wheel" = wheel: described (modules."toolchains-debian".wheel wheel);
    "toolchains-debian.target" = system: (debian system stubs.debianLock).target;
    "toolchains-debian.run" = request: described (modules."toolchains-debian".run request);
    "toolchains-debian.firstRun" = request: described (modules."toolchains-debian".firstRun request);
    "toolchains-debian.compiledBuilders" = names: described (modules."toolchains-debian".compiledBuilders names);
    "toolchains-debian.pythonBase" = _: described modules."toolchains-debian".pythonBase;
  };

  asked = place: declarations: name: questions: map ({ ask, of }: call (place declarations name).${ask} of) questions;

  # The exported functions of one module by their subjects' names.
  functionsOf =
    module:
    if isFunction modules.${module} then
      [ module ]
    else
      map (name: "${module}.${name}") (filter (name: isFunction modules.${module}.${name}) (attrNames modules.${module}));
in
{
  inherit modules call;

  # The function or value a golden file names; only its own module is evaluated.
  subject =
    module: name:
    let
      full = if name == null then module else "${module}.${name}";
    in
    adapted.${full} or (if name == null then modules.${module} else modules.${module}.${name});

  # What must be documented and have golden files.
  functions = concatMap functionsOf (attrNames modules);
}
