# poetry.lock + dependency groups + target -> the wheels to install. Reads the lock file itself; pure, no nixpkgs.
{ pep508, wheelTags }:
let
  inherit (builtins) any concatStringsSep elem filter fromTOML isString listToAttrs map;

  supported = [ "2.1" ];

  explainNoWheel =
    package: target:
    let
      wheels = filter (file: wheelTags.parseWheelName file.file != null) package.files;
      tags = map (file: file.file) wheels;
    in
    throw (
      "${package.name} ${package.version} has no wheel for CPython ${target.pythonTag} on ${target.arch} with glibc ${
        concatStringsSep "." (map toString target.glibc)
      }; "
      + (if tags == [ ] then "poetry.lock lists no wheel at all" else "poetry.lock lists ${concatStringsSep ", " tags}")
      + ". Only wheels are installed: choose a version that has one, or drop the dependency."
    );
in
rec {
  # The parsed lock file, after a check that its format is one we read.
  #
  # Type: parseLock :: String -> Lock
  # Example: (parseLock (builtins.readFile ./poetry.lock)).metadata."lock-version"
  #          => "2.1"
  parseLock =
    text:
    let
      lock = fromTOML text;
      version = lock.metadata."lock-version" or "none";
    in
    if elem version supported then
      lock
    else
      throw "poetry.lock has lock-version ${version}; this reads ${concatStringsSep ", " supported}. Run ./dev lock with a Poetry that writes it.";

  # Whether a package belongs to any of the groups on this target. `markers` is one text for all groups or a set by group.
  #
  # Type: inGroups :: AttrSet -> [ String ] -> Package -> Bool
  # Example: inGroups environment [ "main" ] { name = "redis"; groups = [ "main" ]; }
  #          => true
  inGroups =
    environment: groups: package:
    let
      markers = package.markers or "";
      markerFor = group: if isString markers then markers else markers.${group} or "";
      wanted = filter (group: elem group groups) (package.groups or [ ]);
    in
    !(package.optional or false) && any (group: pep508.evalMarker environment (markerFor group)) wanted;

  # The wheels of the given groups on a target, in the lock's order; a package without a fitting wheel is an error.
  #
  # Type: wheels :: { lock, groups, target } -> [ { name, version, file, hash, groups } ]
  # Example: map (wheel: wheel.name) (wheels { inherit lock target; groups = [ "main" ]; })
  #          => [ "annotated-types" "anyio" … ]
  wheels =
    { lock, groups, target }:
    let
      environment = pep508.environment target;
      select =
        package:
        let
          wheel = wheelTags.selectWheel target package.files;
        in
        if wheel == null then
          explainNoWheel package target
        else
          { inherit (package) name version groups; inherit (wheel) file hash; };
      chosen = filter (inGroups environment groups) lock.package;
      byName = listToAttrs (map (package: { inherit (package) name; value = package.version; }) chosen);
      split = filter (package: byName.${package.name} != package.version) chosen;
    in
    if split != [ ] then
      throw "poetry.lock selects two versions of ${concatStringsSep ", " (map (package: package.name) split)} for the groups ${concatStringsSep ", " groups}: an image can hold one"
    else
      map select chosen;

  # All groups the lock file mentions.
  #
  # Type: groupNames :: Lock -> [ String ]
  # Example: groupNames lock
  #          => [ "dev" "main" "temporal" … ]
  groupNames =
    lock:
    builtins.attrNames (
      listToAttrs (
        builtins.concatMap (package: map (name: { inherit name; value = null; }) (package.groups or [ ])) lock.package
      )
    );
}
