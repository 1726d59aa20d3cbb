"""From event to row: what is stored can be put together again, and found."""

import json

from catchall.core import limits
from catchall.core.codec import join
from catchall.core.event import Breadcrumb, HttpContext
from catchall.core.fingerprint import title_of
from catchall.core.identity import Position
from catchall.pipeline.build import STEPS
from catchall.pipeline.row import to_row
from tests.unit.pipeline.drafts import CONTEXT, draft, frame, raised, raw, refine, refined, row_of

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36"
)


def full():
    return draft(
        exceptions=[
            raised("KeyError", "'sku'", [frame("lookup", locals=raw({"sku": "a"}))], handled=False),
            raised("ShopError", "no price for 17", [frame(), frame("price", locals=raw({"n": 1}))], handled=False),
        ],
        tags={"region": "eu-1"},
        transaction="POST /cart",
        release_version="shop@1.2",
        trace_id="ab" * 16,
        http_context=HttpContext(
            method="POST",
            url="https://shop.example.com/cart/17?x=1",
            headers={"User-Agent": CHROME, "X-Request-Id": "r-1"},
            status_code=500,
        ),
        user_raw={"id": 5},
    )


def test_the_steps_are_in_the_order_of_the_design():
    assert [step.__name__ for step in STEPS] == [
        "validate",
        "normalize",
        "enrich",
        "scrub",
        "classify",
        "fingerprint",
    ]


def test_a_stored_event_is_the_event():
    event, _ = refined(full())
    expected = json.loads(json.dumps(_plain(event)))
    row = row_of(full())
    stacks = {stack.digest: stack.frames for stack in row.stacks}
    stored = join(row.body, stacks.__getitem__)
    assert stored.stack_trace is stored.exceptions[1].stack_trace
    assert [one.locals for one in stored.stack_trace][1] == raw({"n": 1})
    stored.stack_trace = []  # a refined event has its frames apart
    for one in stored.exceptions:
        one.stack_trace = []
    assert _plain(stored) == expected


def _plain(event):
    import msgspec

    return json.loads(msgspec.json.encode(event))


def test_columns():
    row = row_of(full())
    assert (row.error_type, row.message) == ("ShopError", "no price for 17")
    assert (row.culprit, row.severity, row.category, row.handled) == ("shop.cart in price", 3, "code", False)
    assert (row.environment, row.service_name, row.release_version) == ("production", "shop", "shop@1.2")
    assert row.fingerprint.startswith("v1:")
    assert row.issue_id > 0
    assert row.position == (1, 2, 3)


def test_words():
    words = row_of(full()).text.split()
    for word in ("shoperror", "no", "price", "17", "keyerror", "sku", "post", "cart", "shop"):
        assert word in words
    assert "1" not in words  # the query is left out
    stack = row_of(full()).stacks[0].tokens.split()
    assert stack == ["lookup", "shop", "cart", "py"]


def test_a_line_logged_with_an_exception_is_found():
    event = full()
    event.message = "checkout exploded"
    event.breadcrumbs = [Breadcrumb(message="other")]
    words = row_of(event).text.split()
    assert "exploded" in words
    assert "other" not in words


def test_a_line_logged_before_is_a_breadcrumb_like_any_other():
    event = full()
    event.breadcrumbs = [Breadcrumb(type="log", message="other")]
    assert "other" not in row_of(event).text.split()


def test_tags_are_found_by_exact_value():
    tags = row_of(full()).tags
    for pair in (
        ("environment", "production"),
        ("release", "shop@1.2"),
        ("service", "shop"),
        ("severity", "error"),
        ("category", "code"),
        ("platform", "python"),
        ("error_type", "ShopError"),
        ("transaction", "POST /cart"),
        ("handled", "no"),
        ("method", "POST"),
        ("status_code", "500"),
        ("browser", "Chrome 129"),
        ("os", "Windows 10"),
        ("request_id", "r-1"),
        ("trace_id", "ab" * 16),
        ("url", "/cart/17"),
        ("region", "eu-1"),
    ):
        assert pair in tags
    assert [pair for pair in tags if not pair[1]] == []
    assert dict(tags)["user"] == row_of(full()).user_id


def test_titles():
    assert title_of("E", "line one\nline two", "") == "E: line one"
    assert title_of("", "took 17 ms", "") == "took <n> ms"
    assert title_of("E", "", "t") == "E"
    assert title_of("", "", "GET /x") == "GET /x"
    assert len(title_of("E" * 256, "x" * 500, "")) == limits.TITLE_CHARS_MAX


def test_words_stay_within_the_limits():
    row = row_of(draft(message=" ".join(f"w{number}x{'y' * 100}" for number in range(2_000))))
    words = row.text.split()
    assert len(words) <= limits.SEARCH_TOKENS_MAX
    assert max(map(len, words)) <= limits.SEARCH_TOKEN_CHARS_MAX


def test_the_same_draft_gives_the_same_row():
    assert row_of(full()) == row_of(full())


def test_a_message_has_no_stacks():
    event = draft(message="日本語 の メッセージ")
    row = to_row(refine(event, CONTEXT), event, Position(0, 0, 0))
    assert row.stacks == []
    assert row.text.split()[:3] == ["日本語", "の", "メッセージ"]
