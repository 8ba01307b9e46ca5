# A stand-in for poetry2nix: a model of what it does at the locked revision where that is not what poetry.lock says. It
# - takes the main dependencies from [tool.poetry] only, and adds the group `dev` and every extra unless told otherwise;
# - ignores `groups` and `markers` of the lock's packages, and of two versions takes the one that stands last;
# - follows a dependency whose marker holds with every extra, into nixpkgs if the lock does not have it;
# - aborts on the wheel names of some platforms, and takes a source archive where it finds no wheel.
{ pkgs }:
let
  inherit (builtins) any attrNames concatMap filter fromTOML genericClosure head isString listToAttrs map match readFile;

  pep508 = import ../../../nix/pep508.nix { };
  wheelTags = import ../../../nix/wheel-tags.nix { };
  target = { arch = "x86_64"; glibc = [ 2 40 ]; pythonTag = "313"; pythonFullVersion = "3.13.11"; };

  upper = [ "A" "B" "C" "D" "E" "F" "G" "H" "I" "J" "K" "L" "M" "N" "O" "P" "Q" "R" "S" "T" "U" "V" "W" "X" "Y" "Z" ];
  lower = [ "a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l" "m" "n" "o" "p" "q" "r" "s" "t" "u" "v" "w" "x" "y" "z" ];
  normalise = builtins.replaceStrings (upper ++ [ "_" "." ]) (lower ++ [ "-" "-" ]);

  holds =
    extras: dependency:
    let
      marker = if isString dependency then "" else dependency.markers or "";
    in
    any (extra: pep508.evalMarker (pep508.environment target // { inherit extra; }) marker) ([ "" ] ++ extras);

  sourceOf =
    { name, files, ... }:
    let
      unreadable = filter (file: match ".*(riscv64|graalpy).*" file.file != null) files;
      wheel = wheelTags.selectWheel target files;
    in
    if unreadable != [ ] then
      throw "assertion 'm != null' failed: ${(head unreadable).file}"
    else if wheel == null then
      throw "${name} would be built from source"
    else
      wheel;

  dependenciesOf =
    package:
    let
      dependencies = package.dependencies or { };
    in
    map normalise (filter (name: holds (attrNames (package.extras or { })) dependencies.${name}) (attrNames dependencies));

  # `final` is the whole package set, as every package of nixpkgs sees it.
  build =
    final: python: package: attributes:
    let
      all = {
        src = throw "poetry2nix's own fetcher was asked for ${package.name}";
        nativeBuildInputs = [ final.wheelUnpackHook final.pypaInstallHook ];
      }
      // attributes;
    in
    all
    // rec {
      type = "derivation";
      pname = package.name;
      inherit (package) version;
      name = "${pname}-${version}";
      pythonModule = python;
      locked = sourceOf package;
      outPath = builtins.deepSeq [ locked (map (tool: tool.outPath) all.nativeBuildInputs) "${all.src}" ] "/poetry2nix/${name}";
      out = { inherit outPath; };
      dependencies = map (dependency: final.${dependency}) (dependenciesOf package);
      overridePythonAttrs = change: build final python package (attributes // change all);
    };
in
{
  mkPoetryPackages =
    {
      poetrylock,
      pyProject,
      python,
      groups ? [ ],
      checkGroups ? [ "dev" ],
      extras ? [ "*" ],
      preferWheels ? false,
      overrides ? throw "the default overrides build packages from source",
    }:
    let
      inherit (pyProject.tool) poetry;
      packages = (fromTOML (readFile poetrylock)).package;
      base = final: listToAttrs (map (package: { inherit (package) name; value = build final changed package { }; }) (reverse packages));
      reverse = list: builtins.foldl' (reversed: item: [ item ] ++ reversed) [ ] list;
      changed = python.override {
        packageOverrides =
          final: previous:
          builtins.foldl' (set: overlay: set // overlay final (previous // set)) (base final) overrides;
      };
      wanted = concatMap attrNames (
        [ (poetry.dependencies or { }) ] ++ map (group: poetry.group.${group}.dependencies) (groups ++ checkGroups)
      );
      item = package: { key = package.pname; inherit package; };
      closure = genericClosure {
        startSet = map (name: item changed.pkgs.${normalise name}) wanted;
        operator = { package, ... }: map item package.dependencies;
      };
    in
    if !preferWheels || extras != [ ] then
      throw "not the arguments this model knows"
    else
      { python = changed; poetryPackages = [ changed ] ++ map (found: found.package) closure; };
}
