"""Do the log and the store belong together? Asked before anything is started, and before anything is accepted.

A backup that brought back only one of them shows here. If intake began all the same, it would acknowledge what workers
then pass over: an old log grows until it reaches the place up to which the newer store has committed.
"""

from catchall.core.errors import PositionBeyondLog
from catchall.queue.base import Lane, LogReader
from catchall.store.base import Hot
from catchall.worker.standing import standing


def check_places(reader: LogReader, hot: Hot) -> None:
    """Look at the place of each partition in each log. Raises PositionBeyondLog for one that the log does not have.

    A log that the store has never seen must be there from its beginning.
    """
    # Work goes on meanwhile: a place never lies before a beginning that was read earlier, nor behind an end read later.
    starts = {info.uuid: info.start for info in reader.logs()}
    committed = hot.ledger().positions
    for info in reader.logs():
        start = starts.get(info.uuid, info.start)
        for offset in sorted(set(committed.get(info.uuid, [0]))):
            place = f"the store has committed the {info.lane.name.lower()} log up to {offset}"
            if offset > info.end:
                raise PositionBeyondLog(f"{place}, and that log ends at {info.end}: it is older than the store")
            if offset < start:
                raise PositionBeyondLog(
                    f"{place}, and that log begins at {start}: the store is older, and what lay in between is in"
                    " neither"
                )


def uncounted(reader: LogReader, hot: Hot) -> tuple[Lane, int] | None:
    """What a log that was begun anew must count on: its lane, and the requests that went with its predecessor.

    None when no log is new, or none is missing.
    """
    known = hot.ledger().positions
    fresh = [info.lane for info in reader.logs() if info.end == 0 and info.uuid not in known]
    now = standing(reader, hot)
    missing = now.committed + now.waiting - now.accepted
    return (fresh[0], missing) if fresh and missing > 0 else None
