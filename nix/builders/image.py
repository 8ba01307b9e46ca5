"""Builds an image archive that both ``docker load`` and OCI tools read. Runs inside a Nix build.

Document: ``{version, name, arch, layers: [directory with layer.tar and layer.json], config, manifest, python?,
volumes: [path]}``. Outputs: ``out``, the archive; ``meta``, a JSON file ``{name, tag, digest, layers, size}``; and
``identity``, the image.json inside it.

The image's digest covers the architecture, the configuration and every layer. ``/etc/workflow-runtime/image.json``
carries the digest, so its layer is covered in the form it has without one. The tag is the digest's first 32 digits.
"""

import hashlib
import io
import json
from pathlib import Path, PurePosixPath
from typing import Any

from document import output, read_document
from tarlayer import TarWriter

USER = 65532
_PASSWD = f"root:x:0:0:root:/:/nonexistent\nnonroot:x:{USER}:{USER}:nonroot:/:/nonexistent\n"
_GROUP = f"root:x:0:\nnonroot:x:{USER}:\n"


def main() -> None:
    """Describe the layers, derive the digest, write the archive and its description."""
    document = read_document()
    layers = [_read_layer(Path(directory)) for directory in document["layers"]]
    config = _config(document)
    digest = _digest(document, config, layers)
    identity = identity_json(document["manifest"], digest)
    last = _identity_layer(document, identity)
    tag = digest.removeprefix("sha256:")[:32]
    with output().open("wb") as stream:
        _write_archive(stream, document, config, layers, last, tag)
    meta = {
        "name": document["name"],
        "tag": tag,
        "digest": digest,
        "layers": [{key: layer[key] for key in ("name", "kind", "diffId", "size")} for layer in layers],
        "size": sum(layer["size"] for layer in layers) + len(last),
    }
    output("identity").write_bytes(identity)
    output("meta").write_text(json.dumps(meta, sort_keys=True))


def _read_layer(directory: Path) -> dict[str, Any]:
    description: dict[str, Any] = json.loads((directory / "layer.json").read_text())
    return {**description, "path": directory / "layer.tar"}


def _digest(document: dict[str, Any], config: dict[str, Any], layers: list[dict[str, Any]]) -> str:
    undigested = _identity_layer(document, identity_json(document["manifest"], ""))
    diff_ids = [*(layer["diffId"] for layer in layers), _sha256(undigested)]
    return _sha256(_canonical([document["arch"], config, diff_ids]))


def identity_json(manifest: dict[str, Any], digest: str) -> bytes:
    """The content of image.json."""
    return _canonical({**manifest, "digest": digest}) + b"\n"


def identity_files(identity: bytes) -> dict[str, bytes]:
    """The files that say who an image is and runs as, by their path in it."""
    return {
        "etc/group": _GROUP.encode(),
        "etc/passwd": _PASSWD.encode(),
        "etc/workflow-runtime/image.json": identity,
    }


def _config(document: dict[str, Any]) -> dict[str, Any]:
    settings = document["config"]
    return {
        "User": f"{USER}:{USER}",
        "WorkingDir": "/",
        "Entrypoint": settings["entrypoint"],
        "Cmd": settings["arguments"],
        "Env": [f"{name}={value}" for name, value in sorted(settings["env"].items())],
        "ExposedPorts": {f"{port}/tcp": {} for port in sorted(settings["ports"])},
        "Volumes": {path: {} for path in document["volumes"]},
        "Labels": settings["labels"],
        "StopSignal": "SIGTERM",
    }


def _identity_layer(document: dict[str, Any], identity: bytes) -> bytes:
    """Who this image is: accounts, the virtual environment's configuration, image.json, writable directories."""
    files = identity_files(identity)
    directories = {"tmp": (0o1777, 0)} | {volume.lstrip("/"): (0o755, USER) for volume in document["volumes"]}
    links = {}
    if document.get("python"):
        links["app/bin/python3"] = f"/usr/bin/python{document['python']}"
        files["app/pyvenv.cfg"] = b"home = /usr/bin\ninclude-system-site-packages = false\n"
    buffer = io.BytesIO()
    writer = TarWriter(buffer)
    for path in sorted(map(PurePosixPath, {*files, *directories, *links})):
        name = str(path)
        if name in files:
            writer.file(path, files[name])
        elif name in links:
            writer.link(path, links[name])
        else:
            mode, owner = directories[name]
            writer.directory(path, mode=mode, owner=owner)
    writer.close()
    return buffer.getvalue()


def _write_archive(
    stream: Any,
    document: dict[str, Any],
    config: dict[str, Any],
    layers: list[dict[str, Any]],
    last: bytes,
    tag: str,
) -> None:
    diff_ids = [*(layer["diffId"] for layer in layers), _sha256(last)]
    image_config = _canonical(
        {
            "architecture": document["arch"],
            "os": "linux",
            "created": "1970-01-01T00:00:01Z",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [{"created_by": layer["name"]} for layer in layers] + [{"created_by": "identity"}],
        }
    )
    sizes = [*(layer["size"] for layer in layers), len(last)]
    reference = f"{document['name']}:{tag}"
    oci_manifest = _canonical(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("config.v1+json", _sha256(image_config), len(image_config)),
            "layers": [
                _descriptor("layer.v1.tar", diff_id, size) for diff_id, size in zip(diff_ids, sizes, strict=True)
            ],
        }
    )
    index = _canonical(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {
                    **_descriptor("manifest.v1+json", _sha256(oci_manifest), len(oci_manifest)),
                    "annotations": {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": reference},
                }
            ],
        }
    )
    docker_manifest = _canonical(
        [
            {
                "Config": _blob(_sha256(image_config)),
                "RepoTags": [reference],
                "Layers": [_blob(item) for item in diff_ids],
            }
        ]
    )
    writer = TarWriter(stream)
    # The descriptions first: a reader that wants only them need not pass the layers.
    writer.file(PurePosixPath("manifest.json"), docker_manifest)
    writer.file(PurePosixPath("index.json"), index)
    writer.file(PurePosixPath("oci-layout"), b'{"imageLayoutVersion":"1.0.0"}')
    for content in (image_config, oci_manifest, last):
        writer.file(PurePosixPath(_blob(_sha256(content))), content)
    for diff_id, path in sorted({layer["diffId"]: layer["path"] for layer in layers}.items()):
        writer.copy(PurePosixPath(_blob(diff_id)), path)
    writer.close()


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": size}


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()
