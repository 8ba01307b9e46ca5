# A stand-in for nixpkgs: what the nixpkgs toolchain asks of it, building nothing. As in nixpkgs, a Python package set is
# a fixed point, overlays replace packages everywhere in it, and wheels are unpacked by a hook made of `wheel`, which is
# made of `packaging`.
let
  # Anything with a store path; the path needs those of what it is built with, as a derivation's does.
  made = name: tools: attributes: attributes // rec {
    type = "derivation";
    inherit name;
    outPath = builtins.deepSeq (map (tool: tool.outPath) tools) "/nixpkgs/${name}";
    out = { inherit outPath; };
  };

  makePython =
    overlay:
    let
      package =
        pname: version: tools:
        made "${pname}-${version}" tools { inherit pname version; pythonModule = python; dependencies = [ ]; };

      base = rec {
        packaging = package "packaging" "25.0" [ ];
        wheel = package "wheel" "0.46.1" [ set.packaging ];
        installer = package "installer" "0.7.0" [ ];
        wheelUnpackHook = made "wheel-unpack-hook" [ set.wheel ] { };
        pypaInstallHook = made "pypa-install-hook" [ set.installer ] { };
        toPythonModule = drv: drv // { pythonModule = python; };
        # In nixpkgs, but in no lock of ours.
        only-in-nixpkgs = package "only-in-nixpkgs" "0.1" [ ];
      };
      set = base // overlay set base;

      python = made "python3-3.13.11" [ ] {
        pname = "python3";
        version = "3.13.11";
        pythonVersion = "3.13";
        sitePackages = "lib/python3.13/site-packages";
        pkgs = set;
        override = { packageOverrides, ... }: makePython packageOverrides;
        withPackages = select: made "python3-3.13.11-env" (select set) { packages = select set; };
      };
    in
    python;
in
{
  python313 = makePython (final: previous: { });
  glibc.version = "2.40-66";
  cacert = made "nss-cacert" [ ] { };
  redis = made "redis" [ ] { };
  linkFarm = name: entries: made name [ ] { inherit entries; };
  mkShell = arguments: made arguments.name arguments.packages arguments;
  dockerTools.streamLayeredImage = arguments: made "stream-${arguments.name}" arguments.contents { inherit arguments; };
}
