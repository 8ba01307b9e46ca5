"""Structured logging: one JSON object a line on stdout, ours and every library's. Process code only.

Each line carries ``timestamp`` (ISO 8601 UTC), ``level``, ``event``, ``logger``, ``image`` and ``digest``.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from workflow_runtime.service.image import ImageManifest


def configure(level: str, image: ImageManifest) -> None:
    """Route structlog, the standard library's logging and warnings to stdout as JSON. Called once, by main."""
    shared = _shared_processors(image)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    # These two narrate every request of a health probe at INFO.
    for name in ("uvicorn.access", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _shared_processors(image: ImageManifest) -> list[Processor]:
    def add_image(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["image"] = image.name
        event["digest"] = image.digest
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        add_image,
    ]
