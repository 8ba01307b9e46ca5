# What the Debian toolchain takes from Debian: one short list of packages per base root filesystem.
#
# Dependencies are listed, not resolved: a base contains these packages and nothing else, so no shell and no package
# manager can come in through a Depends line. `./dev lock` pins each by version and SHA-256 in lock.json.
{
  suite = "trixie";

  bases = {
    # CPython and the libraries its standard library and our wheels load. Left out on purpose: readline, curses, dbm, tk.
    python = [
      "ca-certificates"
      "libbz2-1.0"
      "libc6"
      "libexpat1"
      "libffi8"
      "libgcc-s1"
      "liblzma5"
      "libpython3.13-minimal"
      "libpython3.13-stdlib"
      "libsqlite3-0"
      "libssl3t64"
      "libstdc++6"
      "libuuid1"
      "libzstd1"
      "media-types"
      "netbase"
      "python3.13-minimal"
      "tzdata"
      "zlib1g"
    ];

    redis = [
      "libatomic1"
      "libc6"
      "libcap2"
      "libgcc-s1"
      "libjemalloc2"
      "liblzf1"
      "libssl3t64"
      "libstdc++6"
      "libsystemd0"
      "libzstd1"
      "netbase"
      "redis-server"
      "redis-tools"
      "zlib1g"
    ];

    # For the tests: nothing of it enters an image.
    valkey = [
      "libatomic1"
      "libc6"
      "libcap2"
      "libgcc-s1"
      "libjemalloc2"
      "liblzf1"
      "libssl3t64"
      "libstdc++6"
      "libsystemd0"
      "libzstd1"
      "netbase"
      "valkey-server"
      "valkey-tools"
      "zlib1g"
    ];

    # For statically linked programs that come as a wheel.
    static = [
      "ca-certificates"
      "netbase"
      "tzdata"
    ];

    # `nix develop` asks for a derivation whose builder is bash, and the sandbox has no dynamic loader at /lib64.
    shell = [ "bash-static" ];
  };
}
