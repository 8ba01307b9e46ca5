"""Where http.request may connect to."""

import pytest

from workflow_runtime.core.errors import TransientFailure, ValidationFailure
from workflow_worker.actions.http_guard import HttpGuard, is_public

PUBLIC = "93.184.215.14"


def _guard(*allowed: str, addresses: tuple[str, ...] = (PUBLIC,)) -> HttpGuard:
    async def resolver(host: str, port: int) -> list[str]:
        return list(addresses)

    return HttpGuard(allowed, resolver=resolver)


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("api.example.org", "https://api.example.org/x"),
        ("api.example.org", "http://API.Example.org:80/"),
        ("api.example.org:8443", "https://api.example.org:8443/"),
        ("*.example.org", "https://a.b.example.org/"),
        ("api.example.org", "https://api.example.org./"),
    ],
)
async def test_an_allowed_host_is_admitted_with_its_addresses(allowed: str, url: str) -> None:
    assert await _guard(allowed).admit(url) == [PUBLIC]


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("api.example.org", "https://other.example.org/"),
        ("api.example.org", "https://api.example.org:8443/"),
        ("api.example.org:8443", "https://api.example.org/"),
        ("*.example.org", "https://example.org/"),
        ("*.example.org", "https://example.org.evil.test/"),
        ("example.org", "https://evilexample.org/"),
    ],
)
async def test_any_other_host_or_port_is_refused(allowed: str, url: str) -> None:
    with pytest.raises(ValidationFailure) as refusal:
        await _guard(allowed).admit(url)
    assert refusal.value.code == "HOST_NOT_ALLOWED"


async def test_nothing_is_allowed_by_default() -> None:
    with pytest.raises(ValidationFailure, match="HTTP_ACTION_ALLOWED_HOSTS"):
        await _guard().admit("https://api.example.org/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://api.example.org/",
        "file:///etc/passwd",
        "//api.example.org/",
        "https:///x",
        "https://user:pw@api.example.org/",
        "https://api.example.org\\@evil.test/",
        "https://api.example.org:99999/",
        "https://api.example.org/a b",
        "https://[::1/",
        "",
    ],
)
async def test_what_is_no_plain_http_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationFailure) as refusal:
        await _guard("api.example.org").admit(url)
    assert refusal.value.code == "INVALID_URL"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
async def test_a_name_that_leads_inside_is_refused_even_beside_a_public_address(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(ValidationFailure) as refusal:
        await _guard("api.example.org", addresses=(PUBLIC, address)).admit("https://api.example.org/")
    assert refusal.value.code == "ADDRESS_REFUSED"


async def test_a_name_without_an_address_may_have_one_later() -> None:
    async def resolver(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(TransientFailure, match=r"api\.example\.org has no address"):
        await HttpGuard(["api.example.org"], resolver=resolver).admit("https://api.example.org/")
