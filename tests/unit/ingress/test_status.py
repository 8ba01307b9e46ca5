"""Readiness of the ingress: each thing that makes it unready, and that nothing else does."""

from workflow_worker.ingress import IngressSettings, IngressStatus


class Clock:
    """A clock that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def status(clock: Clock) -> IngressStatus:
    settings = IngressSettings(max_heartbeat_age_seconds=30, max_lag=10, max_pending_age_seconds=60)
    return IngressStatus(settings, clock, group_found=True)


async def test_it_is_not_ready_before_a_loop_came_round() -> None:
    assert await status(Clock()).check() == (False, "the ingress has not started")


async def test_it_is_not_ready_before_the_consumer_group_is_there() -> None:
    ingress = status(Clock())
    ingress.group_found = False
    ingress.came_round("reader")
    assert await ingress.check() == (False, "the ingress has not found the consumer group yet")


async def test_it_is_ready_while_every_loop_comes_round() -> None:
    ingress = status(Clock())
    ingress.came_round("reader")
    ingress.came_round("router")
    assert await ingress.check() == (True, "stands by to read the stream; lag 0, backlog 0")
    ingress.reading, ingress.lag = True, 10
    assert await ingress.check() == (True, "reads the stream; lag 10, backlog 0")


async def test_a_loop_that_stays_away_is_named() -> None:
    clock = Clock()
    ingress = status(clock)
    ingress.came_round("router")
    clock.now += 20
    ingress.came_round("reader")
    clock.now += 20
    assert await ingress.check() == (False, "the router loop has not come round for 40 s")


async def test_a_fault_counts_until_the_loop_comes_round_without_it() -> None:
    ingress = status(Clock())
    ingress.came_round("reader", "Redis: connection refused")
    assert await ingress.check() == (False, "the reader loop cannot work: Redis: connection refused")
    ingress.came_round("reader")
    assert (await ingress.check())[0]


async def test_too_much_unread_or_too_old_pending_makes_it_unready() -> None:
    ingress = status(Clock())
    ingress.came_round("reader")
    ingress.lag = 11
    assert await ingress.check() == (False, "11 unread messages, more than the 10 that count as keeping up")
    ingress.lag, ingress.pending_age = 0, 61.0
    assert await ingress.check() == (False, "a delivered message is unacknowledged for 61 s")
