# nix/builders/ as build inputs: each build sees only the files it names, so that an edit to one builder rebuilds only its own.
{ }:
# The builders of the given names, and the entry that starts them.
#
# Type: builders :: [ String ] -> StorePath
# Example: builders [ "image" "document" ]
#          => "/nix/store/…-builders"
names:
let
  directory = ./builders;
  wanted = [ "__main__" ] ++ names;
  # A name is a module (name.py) or a package (a directory, taken whole).
  keep =
    path: type:
    let
      relative = builtins.substring (builtins.stringLength (toString directory) + 1) (-1) (toString path);
      top = builtins.head (builtins.filter builtins.isString (builtins.split "/" relative));
    in
    builtins.elem top (wanted ++ map (name: "${name}.py") wanted) && builtins.match ".*(__pycache__|\\.pyc)" relative == null;
in
builtins.path {
  path = directory;
  name = "builders";
  filter = keep;
}
