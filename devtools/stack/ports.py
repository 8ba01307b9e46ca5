"""The loopback ports of the stack, declared in images/topology.nix. Host process only."""

import os
import socket
from dataclasses import dataclass

from devtools.errors import DevError


@dataclass(frozen=True)
class Port:
    """One published port; ``variable`` is its name in the environment of both ways to run."""

    service: str
    name: str
    number: int

    @property
    def variable(self) -> str:
        """``WORKFLOW_SERVER_HTTP_PORT`` for the port http of workflow-server."""
        return f"{self.service}_{self.name}_PORT".upper().replace("-", "_")


def published(declared: dict[str, dict[str, int]], offset: int) -> list[Port]:
    """Every published port, after the offset and what the environment overrides."""
    ports = []
    for service, names in declared.items():
        for name, number in names.items():
            port = Port(service, name, number + offset)
            override = os.environ.get(port.variable)
            ports.append(Port(service, name, _number(port.variable, override)) if override else port)
    return ports


def _number(variable: str, text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise DevError(f"{variable}={text!r} is not a port: use a number from 1 to 65535")
    return int(text)


def require_free(ports: list[Port]) -> None:
    """Raise DevError naming every port somebody else listens on."""
    taken = [port for port in ports if not _is_free(port.number)]
    if taken:
        listed = ", ".join(f"{port.number} ({port.service} {port.name})" for port in taken)
        raise DevError(
            f"already in use on 127.0.0.1: {listed}. Stop what listens there, or use other ports: "
            f"./dev up --port-offset 100, or one by one, {taken[0].variable}={taken[0].number + 1} ./dev up"
        )


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
