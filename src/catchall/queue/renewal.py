"""A log that was begun anew, because its predecessor was moved away: the count of requests goes on.

The ledger says accepted = committed + waiting, and the accepted side is counted by the log itself. A new log in the
place of an old one would begin at nothing, and the ledger would never balance again.
"""

from pathlib import Path

from catchall.queue.base import Lane
from catchall.queue.files import Files, write_whole
from catchall.queue.segment_folder import lane_folder, read_uuid, segment_path
from catchall.queue.segment_format import SegmentHeader, encode_header


def count_on(root: Path, lane: Lane, requests: int, now: int) -> None:
    """Let an empty log say that so many requests came before it: `now` in microseconds.

    Only while nobody writes it. Its one segment is replaced whole, so that a crash leaves either the one or the other.
    """
    folder = lane_folder(root, lane)
    header = SegmentHeader(uuid=read_uuid(folder), base=0, requests=requests, made_at=now)
    write_whole(Files(), segment_path(folder, 0), encode_header(header))
