{
  description = "Authored workflows on Temporal, in worker images that cannot contain what they did not declare";

  # For legacyPackages alone (docs/NIXPKGS.md); every other output evaluates without them. The first is not called
  # nixpkgs because `nix develop` takes its own bash from an input of that name: each shell would fetch, or build, one.
  inputs.nixpkgs-toolchain.url = "github:NixOS/nixpkgs/nixos-25.11";
  inputs.poetry2nix = {
    url = "github:nix-community/poetry2nix";
    flake = false;
  };

  outputs = { self, nixpkgs-toolchain, poetry2nix }: import ./nix { inherit self nixpkgs-toolchain poetry2nix; };
}
