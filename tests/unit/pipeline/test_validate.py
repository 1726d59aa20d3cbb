"""Step 1: empty events end, wrong ids end, ids of traces get one form."""

import pytest

from catchall.core.errors import Drop, Invalid, Reason
from catchall.core.event import ExceptionInfo
from catchall.pipeline.steps.validate import validate
from tests.unit.pipeline.drafts import CONTEXT, draft, frame, raised


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"message": "  \n"},
        {"exceptions": [ExceptionInfo()]},
        {"exceptions": [ExceptionInfo(), ExceptionInfo()], "tags": {"a": "b"}},
    ],
)
def test_an_event_without_anything_is_dropped(fields):
    with pytest.raises(Drop) as caught:
        validate(draft(**fields), CONTEXT)
    assert caught.value.reason is Reason.EVENT_EMPTY


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "x"},
        {"exceptions": [raised(message="", frames=[])]},
        {"exceptions": [ExceptionInfo(message="only a text")]},
        {"exceptions": [ExceptionInfo(stack_trace=[frame()])]},
        {"stack_trace": [frame()]},
    ],
)
def test_an_event_with_anything_goes_on(fields):
    validate(draft(**fields), CONTEXT)


@pytest.mark.parametrize("event_id", ["", "ab", "AB" * 16, "g" * 32, "ab" * 17, "a" * 15 + "!" + "a" * 16])
def test_a_wrong_id_is_invalid(event_id):
    with pytest.raises(Invalid) as caught:
        validate(draft(event_id=event_id, message="x"), CONTEXT)
    assert caught.value.reason is Reason.WRONG_TYPE


def test_an_event_of_a_project_that_is_gone_is_dropped():
    with pytest.raises(Drop) as caught:
        validate(draft(project_id=8, message="x"), CONTEXT)
    assert caught.value.reason is Reason.PROJECT_DELETED


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("A9AA061D-3048-48B5-AFCF-88570816A998", "a9aa061d304848b5afcf88570816a998"),
        ("a9aa061d304848b5afcf88570816a998", "a9aa061d304848b5afcf88570816a998"),
        ("0" * 32, ""),
        ("not a trace", ""),
        ("١" * 32, ""),
    ],
)
def test_trace_ids_get_one_form(sent, kept):
    event = draft(message="x", trace_id=sent, span_id="ABCDEF0123456789")
    validate(event, CONTEXT)
    assert (event.trace_id, event.span_id) == (kept, "abcdef0123456789")
