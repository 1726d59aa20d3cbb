"""Step 5: category and severity of what clients really send."""

import pytest

from catchall.pipeline.steps.classify import classify
from tests.unit.pipeline.drafts import CONTEXT, draft, frame, raised


@pytest.mark.parametrize(
    ("level", "handled", "exceptions", "severity"),
    [
        ("", None, [raised()], "error"),
        ("", False, [raised()], "error"),
        ("warning", False, [raised()], "error"),
        ("warning", True, [raised()], "warning"),
        ("warning", None, [raised()], "warning"),
        ("critical", False, [raised()], "critical"),
        ("", None, [], "info"),
        ("warning", None, [], "warning"),
        ("info", False, [], "info"),
    ],
)
def test_severity(level, handled, exceptions, severity):
    event = draft(message="x", level=level, handled=handled, exceptions=exceptions)
    classify(event, CONTEXT)
    assert event.severity == severity


def test_category_follows_the_frame_that_raised():
    frames = [frame(), frame("execute", "psycopg2.extensions", in_app=False)]
    event = draft(error_type="WeirdError", message="x", exceptions=[raised("WeirdError", frames=frames)])
    classify(event, CONTEXT)
    assert event.category == "database"
