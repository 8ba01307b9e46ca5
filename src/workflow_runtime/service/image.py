"""Which image this process runs in and what that image owns. Process code only.

The image build writes ``/etc/workflow-runtime/image.json``; without that file the process is an unmanaged one, started
from a checkout, which owns what the contract gives its name.
"""

import os
import socket
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from workflow_runtime.service.errors import StartupError

UNMANAGED: Final = "unmanaged"
"""The digest of a process that runs outside any image."""


class ImageManifest(BaseModel):
    """``image.json``: ``{name, digest, queues[], consumerGroups[], closure{}}``; keys unknown to us are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    name: str
    digest: str
    queues: tuple[str, ...] = ()
    consumer_groups: tuple[str, ...] = ()
    closure: dict[str, Any] = Field(default_factory=dict)

    @property
    def managed(self) -> bool:
        """Whether an image build vouches for what this process owns."""
        return self.digest != UNMANAGED


def read_manifest(path: Path, *, process: str) -> ImageManifest:
    """The manifest at ``path``, or an unmanaged one named ``process``. Raises StartupError when it cannot be read."""
    try:
        return ImageManifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return ImageManifest(name=process, digest=UNMANAGED)
    except (OSError, ValidationError) as error:
        reason = " ".join(str(error).split())
        raise StartupError(f"the image manifest {path} cannot be read ({reason}); rebuild the image") from None


def worker_identity(manifest: ImageManifest) -> str:
    """How Temporal shows this process among the pollers: ``<name>@<digest>/<host>:<pid>``."""
    return f"{manifest.name}@{manifest.digest}/{socket.gethostname()}:{os.getpid()}"


def image_name(identity: str) -> str | None:
    """The image name in a poller identity that ``worker_identity`` made, or None for a stranger's.

    >>> image_name("workflow-worker@sha256:12ab/host:7")
    'workflow-worker'
    >>> image_name("17@some-laptop") is None
    True
    """
    name, separator, rest = identity.partition("@")
    return name if separator and "/" in rest else None
