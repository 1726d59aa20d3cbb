"""Step 6: the same fault gets the same issue, another fault another one."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from catchall.core.event import EventDraft
from catchall.core.identity import issue_id_of
from catchall.pipeline.steps.fingerprint import fingerprint
from tests.support.stacks import frames_of, take_frames_apart
from tests.unit.pipeline.drafts import CONTEXT, PROJECT, draft, fault_drafts, frame, raised, raw, refine

FAULTS = fault_drafts()


def value_of(event: EventDraft) -> str:
    refine(event, CONTEXT)
    assert event.fingerprint is not None
    return event.fingerprint.value


def test_different_faults_have_different_fingerprints():
    assert len({value_of(event) for event in fault_drafts()}) == len(FAULTS)


@given(
    st.sampled_from(range(len(FAULTS))),
    st.integers(-2, 400),
    st.integers(0, 10**9),
    st.uuids(),
    st.sampled_from(["/srv/a/", "/home/deploy/releases/20240101/", "C:\\app\\"]),
)
def test_the_same_fault_has_the_same_fingerprint(index, shift, number, uuid, folder):
    """Line numbers, addresses, ids in messages, folders, releases and events do not count."""
    first, again = fault_drafts()[index], copy.deepcopy(FAULTS[index])
    again.event_id = uuid.hex
    again.release_version = f"shop@9.{number}"
    again.exceptions[0].message += f" {number} {uuid}"
    frames = frames_of(again, 0)
    for one in frames:
        one.lineno = max(1, (one.lineno or 0) + shift)
        one.abs_path = folder + one.filename
        one.locals = raw({"self": f"<object at 0x{number:x}>"})
    again.stacks = [take_frames_apart(0, frames)]
    assert value_of(again) == value_of(first)


def test_without_a_stack_the_shape_of_the_message_counts():
    one = value_of(draft(message="order 17 of jane@example.com failed"))
    assert value_of(draft(message="order 18 of joe@example.org failed")) == one
    assert value_of(draft(message="invoice 17 of jane@example.com failed")) != one


def test_the_clients_template_counts_before_its_message():
    one = value_of(draft(message="cart of Jane is empty", message_template="cart of %s is empty"))
    assert value_of(draft(message="cart of Joe is empty", message_template="cart of %s is empty")) == one


def test_the_clients_own_fingerprint_wins():
    one = value_of(draft(message="a", client_fingerprint=["payments"]))
    assert value_of(draft(exceptions=[raised()], client_fingerprint=["payments"])) == one
    assert value_of(draft(message="a", client_fingerprint=["other"])) != one
    assert value_of(draft(message="a", client_fingerprint=["{{ default }}"])) == value_of(draft(message="a"))


def test_what_is_remembered_of_a_stack_is_not_mixed_up():
    """Same frames, other type; same type, other frames; another project: all of them differ, in any order."""
    stack = [frame("remembered")]
    events = [
        draft(exceptions=[raised("A", frames=copy.deepcopy(stack))]),
        draft(exceptions=[raised("B", frames=copy.deepcopy(stack))]),
        draft(exceptions=[raised("A", frames=[frame("forgotten")])]),
        draft(exceptions=[raised("Root", frames=[]), raised("A", frames=copy.deepcopy(stack))]),
        draft(exceptions=[raised("A", frames=copy.deepcopy(stack))], client_fingerprint=["x"]),
    ]
    first = [value_of(copy.deepcopy(event)) for event in events]
    assert len(set(first)) == len(events)
    assert [value_of(copy.deepcopy(event)) for event in reversed(events)] == first[::-1]


def test_the_issue_is_known_before_anything_is_written():
    event = draft(message="x", message_template="x")
    fingerprint(event, CONTEXT)
    assert event.fingerprint is not None
    assert event.issue_id == issue_id_of(PROJECT, event.fingerprint.value)


def test_the_step_works_before_stacks_were_taken_apart():
    event = draft(exceptions=[raised()])
    fingerprint(event, CONTEXT)
    assert event.fingerprint is not None
    alone = event.fingerprint.value
    assert value_of(draft(exceptions=[raised()])) == alone


def test_the_reason_is_for_people():
    event = draft(exceptions=[raised(frames=[frame("outer"), frame("total"), frame("get", "requests", in_app=False)])])
    value_of(event)
    assert event.fingerprint is not None
    assert event.fingerprint.reason == "same exception type ValueError and 2 in-app frames ending in shop.cart.total"
    assert event.fingerprint.parts == ["type: ValueError", "frame: shop.cart.outer", "frame: shop.cart.total"]
