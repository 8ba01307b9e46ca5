# First-party packages as build inputs: src/ cut down to the named packages, so that other edits rebuild nothing.
{ }:
let
  inherit (builtins) any concatMap concatStringsSep dirOf elem filter match pathExists replaceStrings stringLength substring;

  startsWith = prefix: text: substring 0 (stringLength prefix) text == prefix;

  # "a/b/c" -> [ "a/b" "a" ]
  ancestors = path: if match "[^/]+" path != null then [ ] else [ (dirOf path) ] ++ ancestors (dirOf path);
in
# The named packages with the __init__.py of the packages above them, as one tree in the store.
#
# Type: sources :: { src :: Path, packages :: [ String ] } -> StorePath
# Example: sources { src = ../src; packages = [ "workflow_runtime.core" "workflow_worker" ]; }
#          => "/nix/store/…-first-party"
{ src, packages }:
let
  missing = filter (package: !(pathExists (src + "/${replaceStrings [ "." ] [ "/" ] package}"))) packages;
  paths = map (replaceStrings [ "." ] [ "/" ]) packages;
  parents = concatMap ancestors paths;
  # A package's __init__.py runs when any of its subpackages is imported, so it comes along.
  inits = map (parent: "${parent}/__init__.py") parents;
  keep =
    path: type:
    let
      relative = substring (stringLength (toString src) + 1) (-1) (toString path);
      inside = any (wanted: relative == wanted || startsWith "${wanted}/" relative) paths;
      generated = match "(.*/)?(__pycache__|[^/]*\\.pyc)" relative != null;
    in
    !generated && (inside || elem relative (inits ++ parents));
in
if missing != [ ] then
  throw "an image declares ${concatStringsSep ", " missing}, which src/ does not have: correct `packages` in images/, or `git add` the new files, which a flake does not see before"
else
  builtins.path {
    path = src;
    name = "first-party";
    filter = keep;
  }
