# Evaluates the golden files beside it. `values` maps the name of each file that expects a value to what its function
# gives, `value` is that of one file, and `differences` names the files that expect something else, for checks without Python.
let
  inherit (import ./subjects.nix) subject call;
  inherit (builtins) attrNames elemAt filter fromJSON head listToAttrs map match readDir readFile toJSON unsafeDiscardStringContext;

  read = file: fromJSON (readFile (./golden + "/${file}"));

  subjectOf =
    file:
    let
      found = match "([^.]+)(\\.([^.]+))?\\.[^.]+\\.json" file;
    in
    subject (head found) (elemAt found 2);

  # JSON and back: what Python compares, without the string context that ties a value to a build.
  plain = value: fromJSON (unsafeDiscardStringContext (toJSON value));

  succeeding = filter (file: (read file) ? expected) (attrNames (readDir ./golden));

  # The stand-in of poetry2nix reads a file that the evaluation wrote, as the real one does. Nix lets a pure evaluation do
  # that since 2.18, which the nixpkgs toolchain needs anyway; older ones check these files with ./dev test, impurely.
  readable =
    file:
    builtins ? currentSystem
    || builtins.compareVersions builtins.nixVersion "2.18" >= 0
    || match "toolchains-nixpkgs.*" file == null;
in
rec {
  value = file: plain (call (subjectOf file) (read file).args);
  values = listToAttrs (map (file: { name = file; value = value file; }) succeeding);
  differences = filter (file: values.${file} != (read file).expected) (filter readable succeeding);
}
