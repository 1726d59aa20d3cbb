"""Refusals: counted, bounded, handed over once, put back when the log does not take them."""

from hypothesis import given
from hypothesis import strategies as st

from catchall.core.errors import Reason
from catchall.core.record import PROTOCOL_REFUSALS, Refusal, decode_record, decode_refusals
from catchall.intake.refusals import RefusalCounts, refusals_record


def test_counts_are_handed_over_once():
    counts = RefusalCounts()
    assert not counts
    counts.add(1, Reason.TOO_LARGE)
    counts.add(1, Reason.TOO_LARGE)
    counts.add(0, Reason.KEY_UNKNOWN, 5)
    assert counts
    assert counts.take() == [Refusal(1, "request", "too_large", 2), Refusal(0, "request", "key_unknown", 5)]
    assert counts.take() == []


def test_what_the_log_did_not_take_counts_with_what_came_since():
    counts = RefusalCounts()
    counts.add(1, Reason.TOO_LARGE, 3)
    taken = counts.take()
    counts.add(1, Reason.TOO_LARGE)
    counts.put_back(taken)
    assert counts.take() == [Refusal(1, "request", "too_large", 4)]


@given(st.lists(st.tuples(st.integers(1, 200), st.sampled_from([Reason.TOO_LARGE, Reason.BUSY])), max_size=400))
def test_none_is_lost_at_the_bound(refused):
    counts = RefusalCounts(cells_max=10)
    for project, reason in refused:
        counts.add(project, reason)
    taken = counts.take()
    assert sum(refusal.count for refusal in taken) == len(refused)
    assert len(taken) <= 12


def test_the_record_is_one_that_workers_read():
    refusals = [Refusal(1, "request", "too_large", 2)]
    record = decode_record(refusals_record(refusals, 17))
    assert (record.protocol, record.project_id, record.received_at) == (PROTOCOL_REFUSALS, 0, 17)
    assert decode_refusals(record.body) == refusals
