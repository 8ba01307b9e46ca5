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
in
rec {
  value = file: plain (call (subjectOf file) (read file).args);
  values = listToAttrs (map (file: { name = file; value = value file; }) succeeding);
  differences = filter (file: values.${file} != (read file).expected) succeeding;
}
