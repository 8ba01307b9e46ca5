# The default toolchain: locked Debian packages and locked wheels, already in the store, and Python builders run by the
# base's own interpreter. No nixpkgs, no shell, nothing from the host.
{ builders }:
{ system, lock ? builtins.fromJSON (builtins.readFile ./lock.json) }:
let
  inherit (builtins) attrNames concatStringsSep elemAt filter fromJSON head listToAttrs match;

  pinned =
    lock.systems.${system}
      or (throw "nix/toolchains/debian/lock.json has no system ${system}; it has ${concatStringsSep ", " (attrNames lock.systems)}");

  architectures = {
    x86_64-linux = { arch = "x86_64"; oci = "amd64"; loader = "ld-linux-x86-64.so.2"; };
    aarch64-linux = { arch = "aarch64"; oci = "arm64"; loader = "ld-linux-aarch64.so.1"; };
  };
  architecture = architectures.${system};

  # A path that ./dev fetch has put into the store. The derivation only names it: its builder does not exist, and its
  # name is what Nix prints when the path is missing.
  present =
    { name, hash, mode }:
    derivation {
      inherit name system;
      builder = "/this-source-is-not-in-the-Nix-store:-run-./dev-fetch";
      outputHash = hash;
      outputHashAlgo = "sha256";
      outputHashMode = mode;
    };

  version =
    base: package:
    let
      found = filter (entry: entry.name == package) pinned.${base}.packages;
    in
    (head found).version;

  python = version "python" "python3.13-minimal";
  glibc = match "([0-9]+)\\.([0-9]+).*" (version "python" "libc6");
in
rec {
  inherit system;

  # One base root filesystem as ./dev fetch unpacked it.
  #
  # Type: base :: String -> Derivation
  # Example: base "redis"
  #          => «derivation /nix/store/…-debian-redis.drv»
  base =
    name:
    present {
      name = "debian-${name}";
      hash = pinned.${name}.treeHash or (throw "no base is named ${name}; there are ${concatStringsSep ", " (attrNames pinned)}");
      mode = "recursive";
    };

  # One locked wheel file.
  #
  # Type: wheel :: { file, hash, ... } -> Derivation
  # Example: wheel { file = "redis-8.1.0-py3-none-any.whl"; hash = "sha256:…"; }
  #          => «derivation /nix/store/…-redis-8.1.0-py3-none-any.whl.drv»
  wheel = { file, hash, ... }: present { name = file; hash = builtins.replaceStrings [ "sha256:" ] [ "" ] hash; mode = "flat"; };

  # Names and fixed hashes of all bases, for ./dev fetch.
  #
  # Type: bases :: { name :: Derivation }
  # Example: attrNames bases
  #          => [ "python" "redis" "shell" "static" ]
  bases = listToAttrs (map (name: { inherit name; value = base name; }) (attrNames pinned));

  # What wheels are chosen for: the interpreter and the C library of the python base.
  #
  # Type: target :: { arch, glibc, pythonTag, pythonFullVersion }
  # Example: target.pythonTag
  #          => "313"
  target = {
    inherit (architecture) arch;
    glibc = map fromJSON glibc;
    pythonFullVersion = head (match "([0-9.]+).*" python);
    pythonTag = "313";
  };

  inherit (architecture) oci;

  # How to start a dynamically linked program of a base outside an image: through the base's own loader.
  #
  # Type: throughLoader :: { base, program, path ? "${base}/${program}", argv0 ? path } -> [ String ]
  # Example: throughLoader { base = base "redis"; program = "usr/bin/redis-cli"; }
  #          => [ "/nix/store/…/usr/lib64/ld-linux-x86-64.so.2" "--argv0" … ]
  throughLoader =
    { base, program ? null, path ? "${base}/${program}", argv0 ? path }:
    [
      "${base}/usr/${if system == "aarch64-linux" then "lib" else "lib64"}/${architecture.loader}"
      "--argv0"
      argv0
      "--library-path"
      "${base}/usr/lib/${architecture.arch}-linux-gnu"
      path
    ];

  # Run a builder on the base as Debian ships it: for what the other builders run on.
  #
  # Type: firstRun :: { name, program, modules ? [], document, outputs ? [ "out" ] } -> Derivation
  # Example: firstRun { name = "builders"; program = "compiled"; modules = [ "document" "trees" ]; document = { … }; }
  #          => «derivation /nix/store/…-builders.drv»
  firstRun = import ../../run.nix { inherit builders; } {
    inherit system;
    python = throughLoader { base = base "python"; program = "usr/bin/python3.13"; };
  };

  # Some of nix/builders/ with their byte code.
  #
  # Type: compiledBuilders :: [ String ] -> Derivation
  # Example: compiledBuilders [ "image" "document" ]
  #          => «derivation /nix/store/…-builders.drv»
  compiledBuilders =
    names:
    firstRun {
      name = "builders";
      program = "compiled";
      modules = [ "document" "trees" ];
      document.source = builders names;
    };

  # Run one of nix/builders/ with one JSON document. `modules` are the files it imports: only they are its inputs.
  #
  # Type: run :: { name, program, modules ? [], document, outputs ? [ "out" ] } -> Derivation
  # Example: run { name = "image"; program = "image"; modules = [ "document" ]; document = { … }; }
  #          => «derivation /nix/store/…-image.drv»
  run = import ../../run.nix { builders = compiledBuilders; } {
    inherit system;
    python = throughLoader { base = pythonBase.out; program = "usr/bin/python3.13"; };
  };

  # The python base with its byte code. All other builders run on it: without byte code each would compile the same
  # parts of the standard library again, which took longer than what most of them do.
  #
  # Type: pythonBase :: Component
  # Example: pythonBase.layer
  #          => «derivation /nix/store/…-python-base.drv»
  pythonBase = firstRun {
    name = "python-base";
    program = "component";
    modules = [ "document" "tarlayer" "trees" ];
    outputs = [ "out" "layer" ];
    document = {
      name = "python-base";
      kind = "base";
      source = base "python";
      prefix = ".";
      dropped = [ ];
    };
  };

  pythonVersion = concatStringsSep "." [ (elemAt (builtins.splitVersion python) 0) (elemAt (builtins.splitVersion python) 1) ];
}
