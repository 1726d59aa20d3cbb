"""Step 2: the same thing said in one way, and a second time changes nothing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core import limits
from catchall.core.event import Breadcrumb, EventDraft, ExceptionInfo, Frame, Mechanism
from catchall.core.times import rfc3339
from catchall.pipeline.steps.normalize import normalize
from tests.support.stacks import frames_of
from tests.unit.pipeline.drafts import CONTEXT, NOW, SECOND, context, draft, frame, raised

DAY = 86_400 * SECOND


def normal(**fields: object) -> EventDraft:
    event = draft(**fields)
    normalize(event, CONTEXT)
    return event


def test_an_event_without_time_has_that_of_its_arrival():
    assert normal(message="x").timestamp == NOW


@pytest.mark.parametrize("offset", [0, -89 * DAY, 600 * SECOND])
def test_a_time_that_can_be_right_is_kept(offset):
    event = normal(message="x", timestamp=NOW + offset)
    assert (event.timestamp, event.timestamp_text) == (NOW + offset, "")


@pytest.mark.parametrize("offset", [601 * SECOND, -91 * DAY, 3650 * DAY])
def test_a_time_that_cannot_be_right_is_that_of_the_arrival_and_the_original_is_kept(offset):
    event = normal(message="x", timestamp=NOW + offset)
    assert (event.timestamp, event.timestamp_text) == (NOW, rfc3339(NOW + offset))


def test_a_time_of_no_calendar_is_kept_as_a_number():
    assert normal(message="x", timestamp=-(10**17)).timestamp_text == "-100000000000000000"


def test_type_and_message_are_the_primary_exceptions():
    event = normal(exceptions=[raised("KeyError", "'a'"), raised("ShopError", "no price")])
    assert (event.error_type, event.message) == ("ShopError", "no price")


def test_a_line_logged_with_an_exception_becomes_the_last_breadcrumb():
    event = normal(
        message="checkout failed", message_template="%s failed", logger="shop", level="error", exceptions=[raised()]
    )
    assert event.message == "bad"
    assert event.message_template == ""
    assert [(crumb.type, crumb.category, crumb.level, crumb.message) for crumb in event.breadcrumbs] == [
        ("log", "shop", "error", "checkout failed")
    ]
    full = normal(message="line", exceptions=[raised()], breadcrumbs=[Breadcrumb(message="x")] * limits.BREADCRUMBS_MAX)
    assert len(full.breadcrumbs) == limits.BREADCRUMBS_MAX
    assert full.breadcrumbs[-1].message == "line"


def test_a_message_stays_when_the_exception_has_none():
    event = normal(message="checkout failed", exceptions=[raised(message="")])
    assert (event.message, event.breadcrumbs) == ("checkout failed", [])


def test_the_events_own_stack_goes_to_an_exception_that_has_none():
    own = [frame("own")]
    event = normal(stack_trace=own, exceptions=[raised(frames=[])])
    assert frames_of(event) == []
    assert [one.function for one in frames_of(event, 0)] == ["own"]
    both = normal(stack_trace=own, exceptions=[raised(frames=[frame("raised")])])
    assert frames_of(both) == []
    assert [one.function for one in frames_of(both, 0)] == ["raised"]
    assert frames_of(normal(message="x", stack_trace=own)) == own


@pytest.mark.parametrize(
    ("said", "kept", "kind"),
    [
        ([ExceptionInfo(error_type="E", handled=False)], False, "unhandled"),
        ([ExceptionInfo(error_type="E", handled=True)], True, "caught"),
        ([ExceptionInfo(error_type="E", mechanism=Mechanism(handled=False))], False, "unhandled"),
        ([ExceptionInfo(error_type="A", handled=False), ExceptionInfo(error_type="B")], False, "unhandled"),
        ([ExceptionInfo(error_type="E")], None, None),
    ],
)
def test_handled_is_what_the_chain_says(said, kept, kind):
    event = normal(exceptions=said)
    assert event.handled is kept
    assert (event.handling.kind if event.handling else None) == kind


def test_groups_and_cycles_of_parents_are_left_as_they_came():
    chain = [
        raised("Leaf", mechanism=Mechanism(exception_id=1, parent_id=2)),
        raised("Other", mechanism=Mechanism(exception_id=2, parent_id=1)),
        raised("Group", mechanism=Mechanism(exception_id=0, is_exception_group=True)),
    ]
    assert normal(exceptions=chain).error_type == "Group"


def test_defaults():
    event = normal(message="x")
    assert (event.environment, event.service_name) == ("production", "storefront")
    assert normal(message="x", release_version="cart@1.2.3").service_name == "cart"
    assert normal(message="x", release_version="cart@1.2.3", service_name="till").service_name == "till"


def test_names_are_trimmed_and_cut_with_a_mark():
    event = normal(message="x", environment=" staging ", transaction="t" * 300)
    assert event.environment == "staging"
    assert len(event.transaction) == limits.NAME_CHARS_MAX
    assert [(cut.path, cut.original, cut.kept) for cut in event.cut] == [("transaction", 300, limits.NAME_CHARS_MAX)]


def test_in_app_is_decided_where_the_client_said_nothing():
    frames = [
        frame("a", in_app=None, abs_path="/srv/venv/lib/python3.11/site-packages/shop/cart.py"),
        frame("b", in_app=None, abs_path="/srv/app/shop/cart.py"),
        frame("c", in_app=False, abs_path="/srv/app/shop/cart.py"),
    ]
    event = normal(exceptions=[raised(frames=frames)])
    assert [one.in_app for one in frames_of(event, 0)] == [False, True, False]


def test_the_projects_lists_win_over_the_client():
    where = context(in_app_include=("shop",), in_app_exclude=("shop_vendored", "tools/gen"))
    frames = [
        frame(module="shop.cart", in_app=False),
        frame(module="shop_vendored.x", in_app=True),
        frame(module="shopping", in_app=True),
        frame(module="", filename="x.py", abs_path="/srv/tools/gen/x.py", in_app=True),
    ]
    event = draft(exceptions=[raised(frames=frames)])
    normalize(event, where)
    assert [one.in_app for one in frames_of(event, 0)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("frames", "culprit"),
    [
        ([frame("outer"), frame("inner"), frame("get", "requests.api", in_app=False)], "shop.cart in inner"),
        ([frame("get", "requests.api", in_app=False)], "requests.api in get"),
        ([Frame(filename="app.js", in_app=True)], "app.js"),
        ([], "/cart"),
    ],
)
def test_the_culprit_is_the_innermost_frame_of_ones_own(frames, culprit):
    assert normal(transaction="/cart", exceptions=[raised(frames=frames)]).culprit == culprit


words = st.sampled_from(["", " x ", "error", "50", "shop@1.0", "y" * 300])
anything = st.builds(
    draft,
    timestamp=st.one_of(st.none(), st.integers(-(2**60), 2**60)),
    level=words,
    message=words,
    environment=words,
    service_name=words,
    release_version=words,
    transaction=words,
    platform=st.sampled_from(["", "Python", "node", "java"]),
    handled=st.one_of(st.none(), st.booleans()),
    exceptions=st.lists(
        st.builds(
            raised,
            words,
            words,
            st.lists(
                st.builds(
                    frame,
                    words,
                    words,
                    in_app=st.one_of(st.none(), st.booleans()),
                    abs_path=st.sampled_from(["", "/node_modules/x.js", "/srv/x.py"]),
                ),
                max_size=3,
            ),
            handled=st.one_of(st.none(), st.booleans()),
        ),
        max_size=3,
    ),
    stack_trace=st.lists(st.builds(frame, words), max_size=2),
)


@given(anything)
def test_a_second_time_changes_nothing(event):
    normalize(event, CONTEXT)
    once = msgspec.json.encode(event)
    normalize(event, CONTEXT)
    assert msgspec.json.encode(event) == once
