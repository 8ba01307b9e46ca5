"""Why a run cannot be rebuilt. Process code only.

Hierarchy::

    RebuildError            the run was left alone; the message says why and what to do
      HistoryGoneError      Temporal does not have the run, or not all of its histories
      NotOursError          a workflow under a run's id that is no run
      NotReplayableError    today's code or today's Redis does not give what the histories hold
"""


class RebuildError(Exception):
    """A run was left as it is."""

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(f"run {run_id!r} was left alone: {reason}")
        self.run_id = run_id
        self.reason = reason


class HistoryGoneError(RebuildError):
    """Temporal's retention removed the run or the first of its histories, or it never had it."""

    def __init__(self, run_id: str) -> None:
        super().__init__(
            run_id,
            "Temporal does not keep its history, or not all of it; what the store has is all there is",
        )


class NotOursError(RebuildError):
    """The workflow with a run's id is not a run."""

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(run_id, f"the workflow with its id is none of the runtime's: {reason}")


class NotReplayableError(RebuildError):
    """Replaying a history failed or told less than the whole run."""

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(run_id, f"its history cannot be replayed: {reason}")
