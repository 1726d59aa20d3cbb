"""Words and numbers of all clients, and guesses at the kind of fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.category import category_of
from catchall.core.event import CATEGORIES, SEVERITIES, Frame
from catchall.core.severity import severity_of, severity_of_word


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("fatal", "critical"), ("FATAL", "critical"), ("crit", "critical"), ("emerg", "critical"),
        ("panic", "critical"),
        ("error", "error"), (" Err ", "error"), ("SEVERE", "error"), ("warn", "warning"), ("warning", "warning"),
        ("notice", "info"), ("info", "info"), ("log", "info"), ("trace", "debug"), ("verbose", "debug"),
        ("LogLevel.Warning", "warning"), ("ERROR2", "error"), ("0", "critical"), ("3", "error"), ("4", "warning"),
        ("7", "debug"), ("", None), ("blue", None), ("99999999999999999999", None), ("-5", None), ("٣", None),
    ],
)  # fmt: skip
def test_words(word, severity):
    assert severity_of_word(word) == severity


@pytest.mark.parametrize(
    ("number", "platform", "protocol", "severity"),
    [
        ("50", "python", "sentry", "critical"), ("40", "python", "gelf", "error"), ("30", "python", "x", "warning"),
        ("60", "node", "sentry", "critical"), ("50", "node", "json", "error"), ("40", "", "json", "warning"),
        ("10", "node", "json", "debug"), ("17", "", "otlp", "error"), ("21", "", "otlp.logs", "critical"),
        ("13", "", "otlp", "warning"), ("9", "", "otlp", "info"), ("5", "", "otlp", "debug"),
    ],
)  # fmt: skip
def test_numbers_mean_what_their_world_means(number, platform, protocol, severity):
    assert severity_of_word(number, platform=platform, protocol=protocol) == severity


def test_exhaustion_is_critical_when_nobody_said_a_level():
    def of(level: str, error_type: str, message: str) -> str:
        return severity_of(level, handled=None, error_type=error_type, message=message, has_error=True)

    assert of("", "java.lang.OutOfMemoryError", "") == "critical"
    assert of("", "OSError", "[Errno 28] No space left on device") == "critical"
    assert of("warning", "MemoryError", "") == "warning"


@given(st.text(max_size=20))
def test_any_word_has_an_answer(word):
    assert severity_of_word(word) in {None, *SEVERITIES}


@pytest.mark.parametrize(
    ("error_type", "module", "message", "category"),
    [
        ("TimeoutError", "builtins", "", "timeout"),
        ("ReadTimeout", "requests.exceptions", "", "timeout"),
        ("QueryTimeoutException", "", "", "timeout"),
        ("OperationalError", "psycopg2", "", "database"),
        ("DoesNotExist", "shop.models", "", "database"),
        ("Weird", "sqlalchemy.exc", "", "database"),
        ("ConnectionRefusedError", "builtins", "", "network"),
        ("Error", "", "connect ECONNREFUSED 127.0.0.1:5432", "network"),
        ("TypeError", "", "Failed to fetch", "network"),
        ("gaierror", "socket", "", "network"),
        ("ValidationError", "pydantic", "", "validation"),
        ("ValueError", "builtins", "x", "validation"),
        ("RuntimeError", "builtins", "name is required", "validation"),
        ("MemoryError", "builtins", "", "resource"),
        ("OSError", "builtins", "[Errno 28] No space left on device", "resource"),
        ("HTTPError", "requests.exceptions", "", "dependency"),
        ("AxiosError", "", "Request failed with status code 502", "dependency"),
        ("Exception", "", "502 Bad Gateway", "dependency"),
        ("ZeroDivisionError", "builtins", "division by zero", "code"),
        ("KeyError", "builtins", "'timeout'", "code"),
        ("", "", "hello", "code"),
    ],
)
def test_categories(error_type, module, message, category):
    assert category_of(error_type, module, message, None) == category


def test_the_library_that_raised_tells():
    assert category_of("Oops", "", "", Frame(module="redis.connection")) == "database"
    assert category_of("Oops", "", "", Frame(module="rediscovered.things")) == "code"
    assert category_of("Oops", "", "", Frame(filename="node:net")) == "network"


@given(st.text(max_size=30), st.text(max_size=30))
def test_anything_has_a_category(error_type, message):
    assert category_of(error_type, "", message, None) in CATEGORIES
