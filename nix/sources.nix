# First-party packages as build inputs: src/ cut down to the named packages, so that other edits rebuild nothing.
{ }:
let
  inherit (builtins) any concatMap dirOf elem match replaceStrings stringLength substring;

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
builtins.path {
  path = src;
  name = "first-party";
  filter = keep;
}
