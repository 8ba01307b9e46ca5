"""The process's metric registry, with build information. Process code only; made by main and passed down."""

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from workflow_runtime.service.image import ImageManifest


def new_registry(image: ImageManifest) -> CollectorRegistry:
    """A registry of its own (the library's default one is global) with process figures and ``workflow_build_info``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    info = Gauge("workflow_build_info", "The running image, always 1.", ["image", "digest"], registry=registry)
    info.labels(image.name, image.digest).set(1)
    return registry
