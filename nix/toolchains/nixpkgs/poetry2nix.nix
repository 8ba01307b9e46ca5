# What poetry2nix is given so that it installs what poetry.lock means, and the proof that it did. Pure functions.
# poetry2nix knows neither [project] nor the lock's `groups` and `markers`; docs/NIXPKGS.md says what follows from that.
{ }:
let
  inherit (builtins) concatMap concatStringsSep elemAt filter fromTOML head isString length listToAttrs map match split tail;

  normalise = name: builtins.replaceStrings (upper ++ [ "_" "." ]) (lower ++ [ "-" "-" ]) name;
  upper = [ "A" "B" "C" "D" "E" "F" "G" "H" "I" "J" "K" "L" "M" "N" "O" "P" "Q" "R" "S" "T" "U" "V" "W" "X" "Y" "Z" ];
  lower = [ "a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l" "m" "n" "o" "p" "q" "r" "s" "t" "u" "v" "w" "x" "y" "z" ];

  parts = separator: text: filter isString (split separator text);

  # One requirement of [project] as an entry of [tool.poetry.dependencies].
  requirement =
    text:
    let
      found = match "([A-Za-z0-9][A-Za-z0-9._-]*)[[:space:]]*(\\[[^]]*])?[[:space:]]*\\(?([^()@;[]*)\\)?[[:space:]]*(;.*)?" text;
      constraint = elemAt found 2;
    in
    if found == null then
      throw "the dependency ${builtins.toJSON text} in [project] cannot be read: write \"name (constraint)\""
    else
      { name = normalise (head found); value = if constraint == "" then "*" else constraint; };

  # The text of poetry.lock in three: what precedes the packages, one text for each, what follows them.
  cut =
    text:
    let
      blocks = parts "\n\\[\\[package]]\n" text;
      last = parts "\n\\[metadata]\n" (elemAt blocks (length blocks - 1));
      packages = tail blocks;
    in
    {
      before = head blocks;
      packages = builtins.genList (index: if index + 1 == length packages then head last else elemAt packages index) (length packages);
      after = concatStringsSep "\n[metadata]\n" (tail last);
    };

  packageOf = block: head (fromTOML "[[package]]\n${block}").package;

  # A package's text without the lines of its other files.
  onlyFile =
    file: block:
    let
      fileOf = line: match " *\\{file = \"([^\"]*)\", hash = \"[^\"]*\"},?" line;
      keep =
        line:
        let
          found = fileOf line;
        in
        found == null || head found == file;
      kept = concatStringsSep "\n" (filter keep (parts "\n" block));
      left = (packageOf kept).files;
    in
    if length left == 1 && (head left).file == file then
      kept
    else
      throw "poetry.lock writes the files of ${(packageOf block).name} in a way this does not read: one {file = …, hash = …} on each line is expected. Run ./dev lock.";

  versions = packages: listToAttrs (map ({ name, version, ... }: { inherit name; value = version; }) packages);

  # "a 1.0, b 2.0"
  listed = set: concatStringsSep ", " (map (name: "${name} ${set.${name}}") (builtins.attrNames set));
in
rec {
  # poetry.lock cut down to the chosen wheels: no other package, and of each package no other file. So poetry2nix can
  # take neither another version nor a source archive, its reader of wheel names never meets a tag it aborts on (riscv64,
  # graalpy), and packages of other groups do not replace those that nixpkgs' own build tools are made of.
  #
  # Type: lockText :: [ { name, version, file } ] -> String -> String
  # Example: lockText [ { name = "redis"; version = "8.1.0"; file = "redis-8.1.0-py3-none-any.whl"; } ] (readFile ./poetry.lock)
  #          => "…[[package]]\nname = \"redis\"…"
  lockText =
    wheels: text:
    let
      lock = cut text;
      chosen =
        block:
        let
          package = packageOf block;
          wanted = filter (wheel: wheel.name == package.name && wheel.version == package.version) wheels;
        in
        map (wheel: onlyFile wheel.file block) wanted;
    in
    concatStringsSep "\n[[package]]\n" ([ lock.before ] ++ concatMap chosen lock.packages) + "\n[metadata]\n" + lock.after;

  # pyproject.toml as poetry2nix reads it: what [project] depends on also stands in [tool.poetry.dependencies], which it
  # takes always, and in a group `main`, which it takes when asked for.
  #
  # Type: pyProject :: AttrSet -> AttrSet
  # Example: (pyProject { project.dependencies = [ "redis (>=8.1,<9)" ]; tool.poetry.name = "app"; }).tool.poetry.dependencies
  #          => { redis = ">=8.1,<9"; }
  pyProject =
    project:
    let
      poetry = project.tool.poetry;
      main = listToAttrs (map requirement (project.project.dependencies or [ ])) // (poetry.dependencies or { });
    in
    project
    // {
      tool = project.tool // {
        poetry = poetry // {
          dependencies = main;
          group = (poetry.group or { }) // { main.dependencies = main; };
        };
      };
    };

  # What the Python packages of poetry2nix are changed by: wheels come from the Nix store, where ./dev fetch put them,
  # instead of poetry2nix's fetcher; and they are installed by nixpkgs' own tools, so that a wheel those tools are made
  # of (packaging) does not need itself to be built.
  #
  # Type: overlay :: { tools, wheels, source :: Wheel -> Derivation } -> (AttrSet -> AttrSet -> AttrSet)
  # Example: overlay { tools = python.pkgs; wheels = [ … ]; source = toolchain.wheel; }
  #          => «lambda»
  overlay =
    { tools, wheels, source }:
    final: previous:
    { inherit (tools) wheelUnpackHook pypaInstallHook; }
    // listToAttrs (
      map (wheel: {
        inherit (wheel) name;
        value = previous.${wheel.name}.overridePythonAttrs (_: { src = source wheel; });
      }) wheels
    );

  # The arguments of poetry2nix's mkPoetryPackages. `checkGroups` and `extras` are named because their defaults would add
  # the group `dev` and every extra; `overrides` because its default builds some packages from source.
  #
  # Type: arguments :: { project, lock :: String, python, groups, overlay } -> AttrSet
  # Example: (arguments { groups = [ "main" "workflow-worker" ]; … }).preferWheels
  #          => true
  arguments =
    { project, lock, python, groups, overlay }:
    {
      inherit python groups;
      pyProject = pyProject project;
      poetrylock = builtins.toFile "poetry.lock" lock;
      preferWheels = true;
      checkGroups = [ ];
      extras = [ ];
      overrides = [ overlay ];
    };

  # The Python packages of a list that also holds the interpreter.
  #
  # Type: modules :: [ Derivation | null ] -> [ Derivation ]
  # Example: map (package: package.pname) (modules [ python redis ])
  #          => [ "redis" ]
  modules = filter (package: package ? pythonModule);

  # What poetry2nix chose, after the proof that it is what the default toolchain installs: the same names and versions.
  #
  # Type: check :: String -> [ { name, version } ] -> [ { pname, version } ] -> [ { pname, version } ]
  # Example: check "workflow-worker" [ { name = "redis"; version = "8.1.0"; } ] [ ]
  #          => error: poetry2nix does not install what poetry.lock gives workflow-worker: it lacks redis 8.1.0. …
  check =
    name: ours: theirs:
    let
      wanted = versions ours;
      chosen = versions (map (package: { name = package.pname; inherit (package) version; }) theirs);
      common = builtins.intersectAttrs wanted chosen;
      lacking = removeAttrs wanted (builtins.attrNames chosen);
      extra = removeAttrs chosen (builtins.attrNames wanted);
      other = filter (package: chosen.${package} != wanted.${package}) (builtins.attrNames common);
      differences =
        (if lacking == { } then [ ] else [ "it lacks ${listed lacking}" ])
        ++ (if extra == { } then [ ] else [ "it adds ${listed extra}" ])
        ++ map (package: "it takes ${package} ${chosen.${package}} instead of ${wanted.${package}}") other;
    in
    if differences == [ ] then
      theirs
    else
      throw (
        "poetry2nix does not install what poetry.lock gives ${name}: ${concatStringsSep "; " differences}. "
        + "It ignores the lock's groups and markers, so an extra that only another group asks for, or a package with "
        + "markers, is the usual cause: avoid that dependency, or use the default image, which is what poetry.lock says."
      );
}
