"""Far behind, seconds that promise little are left for later: when that begins, and when it ends."""


class Postponing:
    """From `after_s` of lag on, until it is half of that; with 0 never."""

    def __init__(self, after_s: float, below: float) -> None:
        self._after_s, self._below = after_s, below
        self._is_behind = False

    def below(self, lag_s: float) -> float:
        """Seconds that promise less than this probability are left for later."""
        limit_s = self._after_s / 2 if self._is_behind else self._after_s
        self._is_behind = bool(self._after_s) and lag_s > limit_s
        return self._below if self._is_behind else 0.0

    def sentence(self, lag_s: float, postponed: int) -> str:
        """For people; empty when nothing is left for later."""
        if self._is_behind:
            return f"{lag_s:.0f} s behind: what promises little is decided later; add replicas"
        return f"{postponed} windows of a time that was too busy are yet to be decided" if postponed else ""
