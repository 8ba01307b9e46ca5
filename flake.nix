{
  description = "Authored workflows on Temporal, in worker images that cannot contain what they did not declare";

  outputs = { self, ... }: import ./nix { inherit self; };
}
