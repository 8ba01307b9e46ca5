# The declarations by name: name -> { at } -> image.
{
  redis = import ./redis.nix;
  temporal = import ./temporal.nix;
  temporal-worker = import ./temporal-worker.nix;
  workflow-server = import ./workflow-server.nix;
  workflow-worker = import ./workflow-worker.nix;
}
