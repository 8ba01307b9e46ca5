# Which wheel fits a target best: PEP 425 tags, PEP 600 manylinux. Pure functions, no nixpkgs.
{ }:
let
  inherit (builtins)
    concatMap
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

  # Higher is better, null does not fit: CPython's own tags, then the stable ABI from new to old, then pure Python, and
  # among the wheels for any platform the same again. This is the order in which pip looks.
  rankPython =
    target: python: abi: everywhere:
    let
      own = "cp${target.pythonTag}";
      minor = fromJSON (head (match "3([0-9]+)" target.pythonTag));
      stable = match "cp3([0-9]+)" python;
      generic = match "py3([0-9]*)" python;
      version = found: fromJSON (head found);
      pure =
        if generic == null || abi != "none" then
          null
        else if head generic == "" then
          minor
        else if version generic == minor then
          minor + 1
        else if version generic < minor then
          version generic
        else
          null;
    in
    if !everywhere && python == own && abi == own then
      900
    else if !everywhere && python == own && abi == "abi3" then
      800
    else if !everywhere && python == own && abi == "none" then
      700
    else if !everywhere && stable != null && abi == "abi3" && version stable < minor then
      600 + version stable
    else if !everywhere && pure != null then
      500 + pure
    else if everywhere && python == own && abi == "none" then
      200
    else if everywhere && pure != null then
      100 + pure
    else
      null;

  legacy = {
    manylinux1 = [ 2 5 ];
    manylinux2010 = [ 2 12 ];
    manylinux2014 = [ 2 17 ];
  };

  # Higher is better, null does not fit. The newest manylinux the base's glibc satisfies wins.
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
  #          => 11300
  rankWheel =
    target: file:
    let
      wheel = parseWheelName file;
      rank =
        platform: python: abi:
        let
          first = rankPython target python abi (platform == "any");
          second = rankPlatform target platform;
        in
        if first == null || second == null then null else first * 100 + second;
    in
    if wheel == null then
      null
    else
      best (concatMap (platform: concatMap (python: map (rank platform python) wheel.abis) wheel.pythons) wheel.platforms);

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
