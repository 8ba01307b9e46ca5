# Which wheel fits a target best: PEP 425 tags, PEP 600 manylinux. Pure functions, no nixpkgs.
{ }:
let
  inherit (builtins)
    elemAt
    filter
    foldl'
    fromJSON
    head
    isString
    length
    match
    split
    ;

  parts = separator: text: filter isString (split separator text);

  # Higher is better, null does not fit. CPython's own tag, then the stable ABI from new to old, then pure Python.
  rankPython =
    target: python: abi:
    let
      own = "cp${target.pythonTag}";
      minor = fromJSON (head (match "3([0-9]+)" target.pythonTag));
      stable = match "cp3([0-9]+)" python;
      generic = match "py3([0-9]*)" python;
      version = found: if head found == "" then 0 else fromJSON (head found);
    in
    if python == own && abi == own then
      4000
    else if stable != null && abi == "abi3" && version stable <= minor then
      3000 + version stable
    else if python == own && abi == "none" then
      2500
    else if generic != null && abi == "none" && version generic <= minor then
      1000 + version generic
    else
      null;

  legacy = {
    manylinux1 = [ 2 5 ];
    manylinux2010 = [ 2 12 ];
    manylinux2014 = [ 2 17 ];
  };

  # Higher is better, null does not fit. The newest manylinux the base's glibc satisfies wins; `any` comes last.
  rankPlatform =
    target: platform:
    let
      numbered = match "manylinux_([0-9]+)_([0-9]+)_(.+)" platform;
      named = match "(manylinux[0-9]+)_(.+)" platform;
      glibc =
        if numbered != null then
          {
            version = [ (fromJSON (elemAt numbered 0)) (fromJSON (elemAt numbered 1)) ];
            arch = elemAt numbered 2;
          }
        else if named != null && legacy ? ${elemAt named 0} then
          { version = legacy.${elemAt named 0}; arch = elemAt named 1; }
        else
          null;
      major = elemAt target.glibc 0;
      minor = elemAt target.glibc 1;
    in
    if platform == "any" then
      0
    else if platform == "linux_${target.arch}" then
      1
    else if glibc != null && glibc.arch == target.arch && elemAt glibc.version 0 == major && elemAt glibc.version 1 <= minor then
      10 + elemAt glibc.version 1
    else
      null;

  best = ranks: foldl' (found: rank: if rank == null || (found != null && found >= rank) then found else rank) null ranks;
in
rec {
  # Name, version and tag sets of a wheel's file name; null for anything that is not a wheel.
  #
  # Type: parseWheelName :: String -> { name, version, pythons, abis, platforms } | null
  # Example: (parseWheelName "redis-8.1.0-py3-none-any.whl").pythons
  #          => [ "py3" ]
  parseWheelName =
    file:
    let
      stem = match "(.*)\\.whl" file;
      fields = parts "-" (head stem);
      count = length fields;
      at = index: elemAt fields (count - index);
    in
    if stem == null || (count != 5 && count != 6) then
      null
    else
      {
        name = elemAt fields 0;
        version = elemAt fields 1;
        pythons = parts "\\." (at 3);
        abis = parts "\\." (at 2);
        platforms = parts "\\." (at 1);
      };

  # How well a wheel fits: null when it does not, else a number that is higher for a better fit.
  #
  # Type: rankWheel :: Target -> String -> Int | null
  # Example: rankWheel { pythonTag = "313"; arch = "x86_64"; glibc = [ 2 41 ]; } "a-1-py3-none-any.whl"
  #          => 100000
  rankWheel =
    target: file:
    let
      wheel = parseWheelName file;
      python = best (builtins.concatMap (python: map (rankPython target python) wheel.abis) wheel.pythons);
      platform = best (map (rankPlatform target) wheel.platforms);
    in
    if wheel == null || python == null || platform == null then null else python * 100 + platform;

  # The best-fitting entry of a package's `files`, or null.
  #
  # Type: selectWheel :: Target -> [ { file, hash } ] -> { file, hash } | null
  # Example: (selectWheel target [ { file = "a-1-py3-none-any.whl"; hash = "…"; } ]).file
  #          => "a-1-py3-none-any.whl"
  selectWheel =
    target: files:
    foldl' (
      found: candidate:
      let
        rank = rankWheel target candidate.file;
      in
      if rank == null || (found != null && rankWheel target found.file >= rank) then found else candidate
    ) null files;
}
