# The flake's outputs with stand-ins for nixpkgs and poetry2nix, and the real images/, pyproject.toml and poetry.lock:
# what would be built, as data. `images` has each image of both toolchains.
{ nixVersion ? "2.34.0", system ? "x86_64-linux" }:
let
  inherit (builtins) attrNames elemAt filter fromJSON head listToAttrs map match toJSON unsafeDiscardStringContext;

  outputs = import ../../../nix {
    self = { };
    nixpkgs-toolchain.legacyPackages.${system} = import ./pkgs.nix;
    poetry2nix = ./poetry2nix.nix;
    inherit nixVersion;
  };
  offered = outputs.legacyPackages.${system}.nixpkgs;

  plain = value: fromJSON (unsafeDiscardStringContext (toJSON value));

  # The document a builder gets.
  document = derivation: fromJSON (unsafeDiscardStringContext derivation.document);

  checked = derivation: listToAttrs (map (check: { inherit (check) name; value = document check; }) derivation.checks);

  image =
    name:
    let
      inherit (offered.${name}) arguments;
      identity = head arguments.contents;
      launcher = elemAt arguments.contents 1;
      default = outputs.packages.${system}.${name};
    in
    {
      nixpkgs = {
        inherit (arguments) name tag fakeRootCommands config;
        inherit (document identity) manifest digest;
        launcher = map (entry: { inherit (entry) name path; }) launcher.entries;
        checks = checked identity;
      };
      default = { inherit (document default) manifest config; checks = checked default; };
    };
in
plain {
  names = attrNames offered;
  images = listToAttrs (
    map (name: { inherit name; value = image name; }) (filter (name: match ".*-image" name != null) (attrNames offered))
  );
  shell = { inherit (offered.devShell) outPath shellHook; };
}
