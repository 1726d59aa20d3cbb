"""Which of the three logs a request goes to, so that one project's flood does not hold up the others."""

from collections import deque

from catchall.core import limits
from catchall.queue.base import Lane


class FairShare:
    """Decides who is greedy. Pure: seconds are arguments.

    As long as all projects together send less than workers surely manage, nobody is. Past that, each project has an
    equal share of what they manage over the last seconds, and one beyond its share goes to the spill log until it
    sends less than half of it, or until all is calm. A project that sends the whole installation's share within one
    second goes there at once.
    """

    def __init__(
        self, per_second: int = limits.LANE_NORMAL_PER_SECOND, window: int = limits.LANE_WINDOW_SECONDS
    ) -> None:
        self._per_second = per_second
        self._capacity = per_second * window
        self._window = window
        self._second = 0
        self._current: dict[int, int] = {}
        self._past: deque[dict[int, int]] = deque()  # of the last seconds, oldest first
        self._sums: dict[int, int] = {}  # of the current and past seconds up to the last turn
        self.spilling: set[int] = set()

    def lane(self, project_id: int, second: int, *, urgent: bool) -> Lane:
        """Count one request and say where it goes. `second`: of a steady clock; one that goes back is ignored."""
        if second > self._second:
            self._turn(second)
        count = self._current.get(project_id, 0) + 1
        self._current[project_id] = count
        if count > self._per_second:
            self.spilling.add(project_id)
        if urgent:
            return Lane.URGENT
        return Lane.SPILL if project_id in self.spilling else Lane.NORMAL

    def _turn(self, second: int) -> None:
        gone = min(second - self._second, self._window + 1)
        self._second = second
        self._keep(self._current)
        for _ in range(gone - 1):
            self._keep({})
        self._current = {}
        self._judge()

    def _keep(self, counts: dict[int, int]) -> None:
        self._past.append(counts)
        for project_id, count in counts.items():
            self._sums[project_id] = self._sums.get(project_id, 0) + count
        if len(self._past) > self._window:
            for project_id, count in self._past.popleft().items():
                left = self._sums[project_id] - count
                if left:
                    self._sums[project_id] = left
                else:
                    del self._sums[project_id]

    def _judge(self) -> None:
        if sum(self._sums.values()) <= self._capacity:
            self.spilling.clear()
            return
        share = self._capacity // len(self._sums)
        greedy = {project_id for project_id, count in self._sums.items() if count > share}
        not_calm = {project_id for project_id in self.spilling if self._sums.get(project_id, 0) * 2 > share}
        self.spilling = greedy | not_calm
