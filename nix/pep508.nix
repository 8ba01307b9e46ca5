# PEP 508 environment markers and PEP 440 version comparison, as far as lock files use them. Pure functions, no nixpkgs.
{ }:
let
  inherit (builtins)
    elem
    elemAt
    filter
    foldl'
    head
    isString
    length
    match
    split
    stringLength
    substring
    tail
    ;

  comparisons = [ "===" "==" "!=" "<=" ">=" "~=" "<" ">" "in" "not in" ];

  # Splits a marker into tokens { type = "string" | "word" | "op" | "paren"; value; }.
  tokenize =
    marker:
    let
      go =
        rest: tokens:
        let
          blank = match "[[:space:]]+(.*)" rest;
          double = match "\"([^\"]*)\"(.*)" rest;
          single = match "'([^']*)'(.*)" rest;
          paren = match "([()])(.*)" rest;
          notIn = match "(not[[:space:]]+in)([^A-Za-z0-9_].*)" rest;
          op = match "(===|==|!=|<=|>=|~=|<|>)(.*)" rest;
          word = match "([A-Za-z_][A-Za-z0-9_.]*)(.*)" rest;
          step = type: value: found: go (elemAt found 1) (tokens ++ [ { inherit type value; } ]);
        in
        if rest == "" then
          tokens
        else if blank != null then
          go (head blank) tokens
        else if double != null then
          step "string" (head double) double
        else if single != null then
          step "string" (head single) single
        else if paren != null then
          step "paren" (head paren) paren
        else if notIn != null then
          step "op" "not in" notIn
        else if op != null then
          step "op" (head op) op
        else if word != null then
          step (if head word == "in" then "op" else "word") (head word) word
        else
          throw "the marker ${builtins.toJSON marker} cannot be read at ${builtins.toJSON rest}";
    in
    go marker [ ];

  isWord = value: token: token.type == "word" && token.value == value;
  isParen = value: token: token.type == "paren" && token.value == value;

  # Recursive descent over `or` < `and` < comparison; each level returns { value; rest; }.
  parse =
    environment: marker:
    let
      fail = what: throw "the marker ${builtins.toJSON marker} ${what}";

      chain =
        word: combine: level: tokens:
        let
          first = level tokens;
          more =
            left:
            if left.rest != [ ] && isWord word (head left.rest) then
              let
                right = level (tail left.rest);
              in
              # Both sides are forced: a name we do not know is an error also where it could not change the answer.
              more { value = builtins.seq right.value (combine left.value right.value); inherit (right) rest; }
            else
              left;
        in
        more first;

      disjunction = chain "or" (a: b: a || b) conjunction;
      conjunction = chain "and" (a: b: a && b) atom;

      atom =
        tokens:
        if tokens == [ ] then
          fail "ends too early"
        else if isParen "(" (head tokens) then
          let
            inner = disjunction (tail tokens);
          in
          if inner.rest == [ ] || !(isParen ")" (head inner.rest)) then
            fail "lacks a closing parenthesis"
          else
            { inherit (inner) value; rest = tail inner.rest; }
        else if length tokens < 3 || (elemAt tokens 1).type != "op" then
          fail "has something other than a comparison"
        else
          {
            value = compare (elemAt tokens 0) (elemAt tokens 1).value (elemAt tokens 2);
            rest = tail (tail (tail tokens));
          };

      resolve =
        token:
        if token.type == "string" then
          token.value
        else if token.type == "word" && environment ? ${token.value} then
          environment.${token.value}
        else
          fail "names ${builtins.toJSON token.value}, which is not a marker variable this target defines (${
            builtins.concatStringsSep ", " (builtins.attrNames environment)
          })";

      versioned = [ "python_version" "python_full_version" "implementation_version" ];
      isVersion = token: token.type == "word" && elem token.value versioned;

      compare =
        left: op: right:
        let
          a = resolve left;
          b = resolve right;
        in
        if op == "in" then
          contains b a
        else if op == "not in" then
          !(contains b a)
        else if isVersion left || isVersion right then
          compareVersions' op a b
        else if op == "==" || op == "===" then
          a == b
        else if op == "!=" then
          a != b
        else if op == "~=" then
          fail "uses ~= on something that is no version"
        else
          ordered op (if a < b then -1 else if a == b then 0 else 1);

      result = disjunction (tokenize marker);
    in
    if result.rest != [ ] then fail "has trailing text" else result.value;

  contains = text: part: length (filter isString (split (escape part) text)) > 1 || text == part;

  escape =
    builtins.replaceStrings
      [ "\\" "." "*" "+" "?" "(" ")" "[" "]" "{" "}" "^" "$" "|" ]
      [ "\\\\" "\\." "\\*" "\\+" "\\?" "\\(" "\\)" "\\[" "\\]" "\\{" "\\}" "\\^" "\\$" "\\|" ];

  ordered =
    op: order:
    if op == "<" then
      order < 0
    else if op == "<=" then
      order <= 0
    else if op == ">" then
      order > 0
    else if op == ">=" then
      order >= 0
    else if op == "==" || op == "===" then
      order == 0
    else if op == "!=" then
      order != 0
    else
      throw "the comparison ${op} is not one of ${builtins.concatStringsSep " " comparisons}";

  numbers = version: map builtins.fromJSON (filter (part: isString part && part != "") (split "\\." version));

  release =
    version:
    let
      found = match "([0-9]+(\\.[0-9]+)*).*" version;
    in
    if found == null then throw "${builtins.toJSON version} is not a version" else numbers (head found);

  # -1, 0 or 1 for a final release, as an interpreter's is, and any version: 3.13.5 stands between 3.13.5rc1 and 3.13.5.post1.
  orderFinal =
    final: version:
    let
      found = order (release final) (release version);
      suffix = letters: match "[0-9.]+[._-]?(${letters}).*" version != null;
    in
    if found != 0 then
      found
    else if suffix "dev|a|b|c|rc|pre" then
      1
    else if suffix "post|r" then
      -1
    else
      0;

  # -1, 0 or 1 for release numbers; missing components count as zero, so 3.13 equals 3.13.0.
  order =
    left: right:
    let
      count = if length left > length right then length left else length right;
      at = list: index: if index < length list then elemAt list index else 0;
      indexes = builtins.genList (index: index) count;
    in
    foldl' (
      found: index:
      if found != 0 then found else if at left index < at right index then -1 else if at left index > at right index then 1 else 0
    ) 0 indexes;

  startsWith = prefix: list: order (builtins.genList (index: if index < length list then elemAt list index else 0) (length prefix)) prefix == 0;

  compareVersions' =
    op: left: right:
    let
      wildcard = match "(.*)\\.\\*" right;
      l = release left;
      r = release right;
    in
    if wildcard != null && op == "==" then
      startsWith (release (head wildcard)) l
    else if wildcard != null && op == "!=" then
      !(startsWith (release (head wildcard)) l)
    else if op == "~=" && length r < 2 then
      throw "the comparison ~= ${builtins.toJSON right} needs at least two release numbers"
    else if op == "~=" then
      orderFinal left right >= 0 && startsWith (builtins.genList (elemAt r) (length r - 1)) l
    else
      ordered op (orderFinal left right);
in
{
  # Whether a marker holds in an environment; an unknown variable or unreadable text is an evaluation error.
  #
  # Type: evalMarker :: AttrSet -> String -> Bool
  # Example: evalMarker { python_version = "3.13"; } "python_version >= '3.9'"
  #          => true
  evalMarker = environment: marker: if match "[[:space:]]*" marker != null then true else parse environment marker;

  # PEP 440 comparison of a final release with any version, with == X.* and ~=.
  #
  # Type: compareVersions :: String -> String -> String -> Bool
  # Example: compareVersions "~=" "3.13.5" "3.11"
  #          => true
  compareVersions = compareVersions';

  # The marker variables of one target.
  #
  # Type: environment :: { arch, pythonFullVersion, ... } -> AttrSet
  # Example: (environment { arch = "x86_64"; pythonFullVersion = "3.13.5"; }).python_version
  #          => "3.13"
  environment =
    { arch, pythonFullVersion, ... }:
    let
      parts = match "([0-9]+\\.[0-9]+).*" pythonFullVersion;
    in
    {
      os_name = "posix";
      sys_platform = "linux";
      platform_system = "Linux";
      platform_machine = arch;
      platform_python_implementation = "CPython";
      implementation_name = "cpython";
      implementation_version = pythonFullVersion;
      python_full_version = pythonFullVersion;
      python_version = head parts;
      platform_release = "";
      platform_version = "";
    };
}
