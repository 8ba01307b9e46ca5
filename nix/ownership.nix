# Exclusive owners: no two images may own one queue or one consumer group. All clashes are reported at once.
{ }:
let
  inherit (builtins) attrNames concatMap concatStringsSep filter length listToAttrs map;

  kinds = {
    queues = "the queue";
    consumerGroups = "the consumer group";
  };

  ownersOf = images: kind: thing: filter (name: builtins.elem thing ((images.${name}.owns or { }).${kind} or [ ])) (attrNames images);

  things =
    images: kind:
    attrNames (
      listToAttrs (
        concatMap (name: map (thing: { name = thing; value = null; }) ((images.${name}.owns or { }).${kind} or [ ])) (attrNames images)
      )
    );

  clash =
    kind: thing: owners:
    "${kinds.${kind}} ${thing} is owned by ${concatStringsSep " and " owners}: remove it from `owns` in all but one of ${
      concatStringsSep ", " (map (name: "images/${name}.nix") owners)
    }";

  clashes =
    images:
    concatMap (
      kind:
      concatMap (
        thing:
        let
          owners = ownersOf images kind thing;
        in
        if length owners > 1 then [ (clash kind thing owners) ] else [ ]
      ) (things images kind)
    ) (attrNames kinds);
in
rec {
  # The declarations unchanged, after the proof that every owner is the only one.
  #
  # Type: check :: { name :: Declaration } -> { name :: Declaration }
  # Example: check { a = { owns.queues = [ "q" ]; }; b = { owns.queues = [ "q" ]; }; }
  #          => error: a queue or consumer group has one owner; the queue q is owned by a and b: remove it from …
  check =
    images:
    let
      found = clashes images;
    in
    if found == [ ] then
      images
    else
      throw "a queue or consumer group has one owner; ${concatStringsSep "; " found}";

  # Who owns what, for documents and for the boundary check.
  #
  # Type: owners :: { name :: Declaration } -> { queues :: { queue :: name }, consumerGroups :: { group :: name } }
  # Example: (owners images).queues."workflow-runtime-v2"
  #          => "workflow-worker"
  owners =
    images:
    builtins.mapAttrs (
      kind: _:
      listToAttrs (map (thing: { name = thing; value = builtins.head (ownersOf images kind thing); }) (things images kind))
    ) kinds;
}
