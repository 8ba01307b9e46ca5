"""Decides where ``http.request`` may connect to. Activity code; the only I/O is asking for a host's addresses.

A host must stand in the allow-list, and none of its addresses may be private: a public name that resolves to the inside
of a network is refused as well. The addresses that were judged are the ones connected to, so a name that changes its
address in between gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from workflow_runtime.core.errors import TransientFailure, ValidationFailure

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Gives the addresses of a host; raises OSError."""

_PORTS: Final = {"http": 80, "https": 443}
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


async def resolve(host: str, port: int) -> list[str]:
    """The addresses the system's resolver gives, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Whether an address is reachable by everybody, the IPv4 address inside a translated IPv6 one included.

    >>> is_public("203.0.113.7"), is_public("10.0.0.1"), is_public("::ffff:127.0.0.1"), is_public("64:ff9b::a00:1")
    (False, False, False, False)
    >>> is_public("93.184.215.14")
    True
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return all(each.is_global and not each.is_multicast for each in (parsed, *_embedded(parsed)))


def _embedded(address: Address) -> Iterable[ipaddress.IPv4Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


class HttpGuard:
    """An allow-list: ``host`` (ports 80 and 443), ``host:port``, ``*.domain`` for every host below a domain."""

    def __init__(
        self,
        allowed_hosts: Iterable[str],
        *,
        resolver: Resolver = resolve,
        acceptable: Callable[[str], bool] = is_public,
    ) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._resolver = resolver
        self._acceptable = acceptable

    async def admit(self, url: str) -> list[str]:
        """The addresses to connect to for ``url``. Raises ValidationFailure when it is refused."""
        parts = _split(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port or _PORTS[parts.scheme]
        if not self._allows(host, port, parts.port is None or port in _PORTS.values()):
            raise ValidationFailure(
                f"http.request may not call {host}:{port}; add it to HTTP_ACTION_ALLOWED_HOSTS of workflow-worker",
                code="HOST_NOT_ALLOWED",
            )
        return await self._addresses(host, port)

    def _allows(self, host: str, port: int, usual_port: bool) -> bool:
        names = [host, *(f"*.{domain}" for domain in _domains_above(host))]
        return any((usual_port and name in self._allowed) or f"{name}:{port}" in self._allowed for name in names)

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolver(host, port)
        except OSError as error:
            raise TransientFailure(f"{host} has no address ({error.strerror})", code="HTTP_UNREACHABLE") from error
        if not addresses or not all(self._acceptable(address) for address in addresses):
            raise ValidationFailure(
                f"{host} leads to a private address, which http.request never calls", code="ADDRESS_REFUSED"
            )
        return addresses


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or any(ord(sign) <= 32 or sign == "\\" for sign in url):
        raise ValidationFailure("the url is not an absolute http or https address", code="INVALID_URL")
    if parts.username is not None or parts.password is not None:
        raise ValidationFailure(
            "the url holds credentials, which end up in logs; send them in a header from a secret", code="INVALID_URL"
        )
    return parts


def _domains_above(host: str) -> list[str]:
    labels = host.split(".")
    return [".".join(labels[index:]) for index in range(1, len(labels))]
