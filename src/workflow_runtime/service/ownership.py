"""Who may poll which queue and read the event stream, checked once at start-up. Process code only.

The same table stands in images/*.nix; the image build proves that they agree.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from workflow_runtime.core import contract
from workflow_runtime.service.errors import MisuseError
from workflow_runtime.service.image import ImageManifest

WORKFLOW_WORKER: Final = "workflow-worker"
TEMPORAL_WORKER: Final = "temporal-worker"
WORKFLOW_SERVER: Final = "workflow-server"

QUEUE_OWNERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        contract.AUTHORED_QUEUE: WORKFLOW_WORKER,
        contract.APP_ACTION_QUEUE: WORKFLOW_SERVER,
        **dict.fromkeys(contract.DOMAIN_QUEUES, TEMPORAL_WORKER),
    }
)
GROUP_OWNERS: Final[Mapping[str, str]] = MappingProxyType({contract.EVENT_CONSUMER_GROUP: WORKFLOW_WORKER})


def queues_of(process: str) -> tuple[str, ...]:
    """The queues the contract gives to ``process``, in the contract's order."""
    return tuple(queue for queue, owner in QUEUE_OWNERS.items() if owner == process)


def refuse_foreign(
    process: str, manifest: ImageManifest, *, queues: Iterable[str] = (), groups: Iterable[str] = ()
) -> None:
    """Raise MisuseError unless every queue and group belongs to ``process`` and, inside an image, to that image."""
    if manifest.managed and manifest.name != process:
        raise MisuseError(f"{process} was started in the image {manifest.name!r}; start it in its own image")
    for queue in queues:
        _refuse(process, "task queue", queue, QUEUE_OWNERS.get(queue))
        _refuse_undeclared(manifest, "task queue", queue, manifest.queues)
    for group in groups:
        _refuse(process, "consumer group", group, GROUP_OWNERS.get(group, process))
        _refuse_undeclared(manifest, "consumer group", group, manifest.consumer_groups)


def _refuse(process: str, kind: str, name: str, owner: str | None) -> None:
    if owner == process:
        return
    known = f"it is owned by {owner}" if owner else "nobody owns it"
    mine = ", ".join(queues_of(process))
    raise MisuseError(f"{process} refuses the {kind} {name!r}: {known}; {process} owns {mine}")


def _refuse_undeclared(manifest: ImageManifest, kind: str, name: str, declared: tuple[str, ...]) -> None:
    if manifest.managed and name not in declared:
        listed = ", ".join(declared) or "none"
        raise MisuseError(
            f"{manifest.name} refuses the {kind} {name!r}: its image {manifest.digest} declares {listed}; "
            f"add it to images/{manifest.name}.nix and build again"
        )
