"""Sorted sets as indexes by time, by name and by number. Private to the stores.

An index by time or name has score 0 throughout and is read in the order of its members, which makes a cursor exact: it
is the last member seen, whatever was added or removed meanwhile.
"""

import re
from datetime import datetime
from typing import Final, cast

from redis.asyncio import Redis

from workflow_runtime.store.connection import millis
from workflow_runtime.store.errors import InvalidValueError

_TIME_MEMBER: Final = re.compile(r"[0-9]{15}:")


def time_member(moment: str, id_: str) -> str:
    """Member of an index ordered by time, then id."""
    return f"{millis(moment):015d}:{id_}"


def id_of(member: str) -> str:
    """The id in a member made by `time_member`."""
    return member.partition(":")[2]


async def newest(redis: Redis, key: str, *, limit: int, cursor: str | None, since: datetime | None = None) -> list[str]:
    """Up to ``limit`` members of a time index, newest first, after ``cursor`` and not before ``since``.

    Raises `InvalidValueError` for a cursor that no such index has given, which would begin at some end of the list.
    """
    if cursor and not _TIME_MEMBER.match(cursor):
        raise InvalidValueError(f"cursor {cursor!r} is none of this list; pass the nextCursor of the page before")
    high = f"({cursor}" if cursor else "+"
    low = f"[{millis(since):015d}" if since else "-"
    return cast(list[str], await redis.zrange(key, high, low, bylex=True, desc=True, offset=0, num=limit))


async def in_order(redis: Redis, key: str, *, limit: int, cursor: str | None = None, prefix: str = "") -> list[str]:
    """Up to ``limit`` members of an index by name that start with ``prefix``, after ``cursor``."""
    low = f"({cursor}" if cursor else f"[{prefix}"
    high = b"[" + prefix.encode() + b"\xff"  # no UTF-8 text has this byte, so the bound is exact
    return cast(list[str], await redis.zrange(key, low, high, bylex=True, offset=0, num=limit))


async def below(redis: Redis, key: str, score: int, *, limit: int) -> list[str]:
    """Up to ``limit`` members with a score below ``score``, lowest first."""
    return cast(list[str], await redis.zrange(key, "-inf", f"({score}", byscore=True, offset=0, num=limit))


async def above(redis: Redis, key: str, score: int, *, limit: int) -> list[str]:
    """Up to ``limit`` members with a score above ``score``, lowest first."""
    return cast(list[str], await redis.zrange(key, f"({score}", "+inf", byscore=True, offset=0, num=limit))


async def members(redis: Redis, key: str, *, limit: int = 0) -> list[str]:
    """The first ``limit`` members, or all of them."""
    return cast(list[str], await redis.zrange(key, 0, limit - 1))
