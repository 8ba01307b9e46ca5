# A closure and its declaration -> an image by nixpkgs' dockerTools: `result | docker load` streams it.
{ toolchain, closures, image, pkgs }:
let
  inherit (builtins) attrNames concatStringsSep hashString listToAttrs map substring toJSON toString unsafeDiscardStringContext;

  user = "65532";

  set = names: listToAttrs (map (name: { inherit name; value = { }; }) names);

  # Directories that are no files of any package: a place for temporary files, and the volumes.
  directories =
    volumes:
    concatStringsSep "\n" (
      [ "mkdir -p ./tmp" "chmod 1777 ./tmp" ] ++ map (path: "install -d -m 755 -o ${user} -g ${user} .${path}") volumes
    );
in
rec {
  # The OCI configuration, the same as the default toolchain's image has, and where certificates are.
  #
  # Type: config :: Description -> AttrSet
  # Example: (config (image.describe "workflow-worker" declaration)).User
  #          => "65532:65532"
  config =
    { config, volumes, ... }:
    let
      env = config.env // { SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt"; };
    in
    {
      User = "${user}:${user}";
      WorkingDir = "/";
      Entrypoint = config.entrypoint;
      Cmd = config.arguments;
      Env = map (name: "${name}=${env.${name}}") (attrNames env);
      ExposedPorts = set (map (port: "${toString port}/tcp") config.ports);
      Volumes = set volumes;
      Labels = config.labels;
      StopSignal = "SIGTERM";
    };

  # The image of a Python declaration. Its digest covers the store paths of everything in it; they are named after what
  # they were built from, so equal digests mean equal inputs.
  #
  # Type: build :: String -> Declaration -> [ Derivation ] -> Derivation
  # Example: build "workflow-worker" declaration [ boundaryCheck ]
  #          => «derivation …-stream-workflow-worker.drv»
  build =
    name: declaration: checks:
    let
      closure = closures.closureOf name declaration;
      environment = closures.environment { inherit name; components = closure.wheels ++ [ closure.source ]; };
      description = image.describe name declaration;
      covered = [ toolchain.system "${environment}" (config description) description.manifest ];
      digest = "sha256:${hashString "sha256" (unsafeDiscardStringContext (toJSON covered))}";

      identity = toolchain.run {
        name = "${name}-identity";
        program = "identity_tree";
        modules = [ "document" "image" "tarlayer" "trees" ];
        # The image cannot be assembled before its checks have passed.
        attributes = { inherit checks; };
        document = { inherit (description) manifest; inherit digest; };
      };

      # Python stands where it stands in the default image, so one command and one compose file do for both.
      launcher = pkgs.linkFarm "${name}-launcher" [ { name = "app/bin/python3"; path = "${environment}/bin/python3"; } ];
    in
    pkgs.dockerTools.streamLayeredImage {
      inherit name;
      tag = substring 7 32 digest;
      contents = [ identity launcher ];
      fakeRootCommands = directories description.volumes;
      config = config description;
    };
}
