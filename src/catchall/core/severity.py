"""How bad: the words of all clients and log libraries, said with our five.

Numbers mean other things in different worlds: Python's `logging` (docs.python.org/3/library/logging.html#levels), pino
and bunyan (getpino.io, "logger.level"), syslog (RFC 5424, 6.2.1), OpenTelemetry (logs data model, SeverityNumber).
"""

from catchall.core.event import SEVERITIES, Severity

_SAID: tuple[tuple[Severity, str], ...] = (
    ("debug", "debug trace verbose silly fine finer finest dbg trc d v all config spam"),
    ("info", "info information informational notice log i inf default success ok normal n"),
    ("warning", "warning warn w wrn caution attention"),
    ("error", "error err e severe exception failure fail failed erro unhandled"),
    ("critical", "critical fatal crit emergency emerg alert panic dpanic crash c f ftl fault assert wtf a"),
)
_WORDS: dict[str, Severity] = {word: severity for severity, words in _SAID for word in words.split()}

_Scale = tuple[tuple[int, Severity], ...]
_PYTHON: _Scale = ((10, "debug"), (20, "info"), (30, "warning"), (40, "error"))
_PINO: _Scale = ((20, "debug"), (30, "info"), (40, "warning"), (50, "error"))
_OTEL: _Scale = ((8, "debug"), (12, "info"), (16, "warning"), (20, "error"))
_SYSLOG: tuple[Severity, ...] = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
_PYTHON_PLATFORM = "python"
_OTEL_PROTOCOL = "otlp"
_NUMBER_CHARS_MAX = 6

# What means that the machine itself is at its end.
_EXHAUSTED = ("MemoryError", "OutOfMemory", "StackOverflowError", "No space left on device", "ENOSPC")


def severity_of_word(word: str, *, platform: str = "", protocol: str = "") -> Severity | None:
    """Our word for a client's word or number; None when it says nothing."""
    word = word.strip().lower()
    known = _WORDS.get(word)
    if known is not None or not word:
        return known
    if word.isascii() and word.isdigit() and len(word) <= _NUMBER_CHARS_MAX:
        return _of_number(int(word), platform, protocol)
    return _WORDS.get(word.rpartition(".")[2]) or _WORDS.get(word.rstrip("0123456789"))  # `LogLevel.Error`, `ERROR2`


def _of_number(number: int, platform: str, protocol: str) -> Severity:
    if protocol.startswith(_OTEL_PROTOCOL):
        return _of_scale(number, _OTEL)
    if number < len(_SYSLOG):
        return _SYSLOG[number]
    return _of_scale(number, _PYTHON if platform == _PYTHON_PLATFORM else _PINO)


def _of_scale(number: int, scale: _Scale) -> Severity:
    """The first word whose number is not passed."""
    return next((severity for last, severity in scale if number <= last), "critical")


def severity_of(level: str, *, handled: bool | None, error_type: str, message: str, has_error: bool) -> Severity:
    """An event's severity: the client's word, but an unhandled error is at least an error.

    `level`: the client's word. `has_error`: there is an exception or a stack.
    """
    said = _WORDS.get(level)
    if said is not None:
        if has_error and handled is False and SEVERITIES.index(said) < SEVERITIES.index("error"):
            return "error"
        return said
    if any(sign in error_type or sign in message for sign in _EXHAUSTED):
        return "critical"
    return "error" if has_error else "info"
