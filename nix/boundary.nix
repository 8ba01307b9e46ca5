# The import boundary of each image: the document its check reads, and the check as a derivation the image waits for.
{ toolchain, closures, poetryLock, sources }:
{ src, project, lock, declarations, importNames }:
let
  inherit (builtins) attrNames attrValues concatMap elem filter genList head isString length listToAttrs map match readFile replaceStrings split;

  python = filter (name: declarations.${name}.base == "python") (attrNames declarations);

  # Line number of the first line of a file that a pattern matches whole, or null.
  lineOf =
    file: pattern:
    let
      lines = filter isString (split "\n" (readFile file));
      numbered = genList (index: { number = index + 1; text = builtins.elemAt lines index; }) (length lines);
      found = filter (line: match pattern line.text != null) numbered;
    in
    if found == [ ] then null else (head found).number;

  withoutNull = attrs: removeAttrs attrs (filter (name: attrs.${name} == null) (attrNames attrs));

  linesOf = file: patterns: withoutNull (builtins.mapAttrs (_: lineOf file) patterns);

  normalise = name: replaceStrings [ "_" "." ] [ "-" "-" ] (builtins.head (match "([A-Za-z0-9._-]+).*" name));

  directOf =
    group:
    map normalise (if group == "main" then project.project.dependencies else attrNames project.tool.poetry.group.${group}.dependencies);

  groupsOf = name: [ "main" declarations.${name}.group ];

  distribution =
    name: wheel: {
      inherit (wheel) version groups;
      name = wheel.name;
      direct = elem wheel.name (concatMap directOf (groupsOf name));
    };

  knownFirstParty = listToAttrs (
    map (package: {
      name = package;
      value = filter (name: elem package declarations.${name}.packages) python;
    }) (concatMap (name: declarations.${name}.packages) python)
  );

  described =
    package:
    { inherit (package) groups version; }
    // (if importNames ? ${package.name} then { topLevel = importNames.${package.name}; } else { });

  outside =
    name:
    let
      inside = map (wheel: wheel.name) (closures.wheelsOf name declarations.${name});
    in
    listToAttrs (
      map (package: { inherit (package) name; value = described package; }) (
        filter (package: !(elem package.name inside)) lock.package
      )
    );

  plainInterpreter = base: toolchain.throughLoader { inherit base; program = "usr/bin/python${toolchain.pythonVersion}"; };

  # The command that starts an image's own Python over exactly its own files.
  interpreterOf =
    name:
    let
      closure = closures.closureOf name declarations.${name};
      environment = closures.environment { inherit name; components = closure.wheels ++ [ closure.source ]; };
    in
    toolchain.throughLoader {
      base = closure.base.out;
      program = "usr/bin/python${toolchain.pythonVersion}";
      argv0 = "${environment}/bin/python3";
    };
in
rec {
  # The JSON document the boundary program reads for one image; nix/builders/boundary/manifest.py describes it.
  #
  # Type: manifestOf :: String -> AttrSet
  # Example: (manifestOf "workflow-worker").firstParty
  #          => [ "workflow_runtime.core" … ]
  manifestOf =
    name:
    let
      declaration = declarations.${name};
      file = ../images + "/${name}.nix";
      wheels = closures.wheelsOf name declaration;
      closure = closures.closureOf name declaration;
    in
    {
      version = 1;
      image = name;
      inherit (declaration) group;
      declaration = {
        file = "images/${name}.nix";
        lines = linesOf file {
          packages = " *packages = .*";
          group = " *group = .*";
          program = " *program\\..*";
          workflowCode = " *workflowCode = .*";
        };
      };
      pyproject = {
        file = "pyproject.toml";
        lines = linesOf ../pyproject.toml (
          { main = "dependencies = .*"; }
          // listToAttrs (
            map (group: { name = group; value = "\\[tool\\.poetry\\.group\\.${group}\\.dependencies].*"; }) (attrNames project.tool.poetry.group)
          )
        );
      };
      sourceRoot = sources { inherit src; inherit (declaration) packages; };
      firstParty = declaration.packages;
      inherit knownFirstParty;
      forbidden = concatMap (other: if other == name then [ ] else declarations.${other}.exclusive or [ ]) python;
      layers = [
        [ "workflow_worker" "temporal_worker" "workflow_server" ]
        [ "workflow_runtime.bootstrap" ]
        [ "workflow_runtime.service" ]
        [ "workflow_runtime.store" ]
        [ "workflow_runtime.core" ]
      ];
      distributions = map (distribution name) wheels;
      knownDistributions = outside name;
      sitePackages = map (part: "${part.out}/lib/python${toolchain.pythonVersion}/site-packages") closure.wheels;
      entryPoints = [
        {
          kind = "command";
          value = [ "python" "-m" declaration.program.python ];
          file = "images/${name}.nix";
        }
        {
          kind = "health check";
          value = [ "python" "-m" "workflow_runtime.service.probe" ];
          file = "nix/image.nix";
          line = lineOf ./image.nix ".*workflow_runtime\\.service\\.probe.*";
        }
      ];
      workflowModules = declaration.workflowCode;
      # The base's own Python; the run gets the directories of the closure by name and no others.
      interpreter = plainInterpreter closure.base.out;
    };

  # What `./dev check` needs to run the same checks over the working tree: every document but for its sources.
  #
  # Type: inputs :: Derivation
  # Example: nix build .#boundary-inputs && cat result
  inputs = toolchain.run {
    name = "boundary-inputs.json";
    program = "json_file";
    modules = [ "document" ];
    document.content = {
      python = plainInterpreter (closures.base "python").out;
      images = listToAttrs (
        map (name: { inherit name; value = removeAttrs (manifestOf name) [ "sourceRoot" ]; }) python
      );
    };
  };

  # The check of one image as a derivation.
  #
  # Type: check :: String -> Derivation
  # Example: nix build .#checks.x86_64-linux.boundary-workflow-worker
  check =
    name:
    toolchain.run {
      name = "boundary-${name}";
      program = "check_boundary";
      modules = [ "boundary" "document" ];
      document = manifestOf name;
    };

  # The check that an image's code and its declaration agree on what it owns.
  #
  # Type: ownership :: String -> Derivation
  # Example: nix build .#checks.x86_64-linux.ownership-workflow-worker
  ownership =
    name:
    toolchain.run {
      name = "ownership-${name}";
      program = "check_ownership";
      modules = [ "document" ];
      document = {
        image = name;
        interpreter = interpreterOf name;
        queues = declarations.${name}.owns.queues or [ ];
        consumerGroups = declarations.${name}.owns.consumerGroups or [ ];
      };
    };

  # What must have passed before an image is assembled; images without Python have nothing to check.
  #
  # Type: checksOf :: String -> [ Derivation ]
  # Example: checksOf "redis"
  #          => [ ]
  checksOf = name: if elem name python then [ (check name) (ownership name) ] else [ ];

  # Type: checks :: { name :: Derivation }
  # Example: attrNames checks
  #          => [ "boundary-temporal-worker" … "ownership-workflow-worker" ]
  checks = listToAttrs (
    concatMap (name: [
      { name = "boundary-${name}"; value = check name; }
      { name = "ownership-${name}"; value = ownership name; }
    ]) python
  );
}
