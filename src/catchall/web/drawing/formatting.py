"""How facts are written: times, counts and sizes, once for all pages."""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from catchall.core.times import MICROSECONDS
from catchall.web.drawing.markup import escape, made
from catchall.web.services import current

MINUTE, HOUR, DAY = 60, 3600, 86_400
WEEKS_FROM = 14 * DAY
YEAR = 365 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_TIME = made('<span class="none">—</span>')
COMPACT_FROM = 10_000


def parse(text: str) -> datetime:
    """Read a time as the model prints it. Raises ValueError."""
    return datetime.fromisoformat(text)


def microseconds(text: str) -> int:
    """A time of the model as microseconds since the epoch, without the rounding of floats."""
    return (parse(text) - EPOCH) // timedelta(microseconds=1)


def exact_time(moment: datetime) -> str:
    """To the second, with its zone."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def ago(seconds: float) -> str:
    """How long ago, in the largest unit that says something."""
    if seconds < 0:
        return "in the future" if seconds < -MINUTE else "now"
    if seconds < 10:
        return "now"
    if seconds < MINUTE:
        return f"{int(seconds)} s ago"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min ago"
    if seconds < DAY:
        return f"{int(seconds // HOUR)} h ago"
    if seconds < WEEKS_FROM:
        return f"{int(seconds // DAY)} d ago"
    return f"{int(seconds // (7 * DAY))} wk ago" if seconds < YEAR else f"{int(seconds // YEAR)} y ago"


def _tag(when: str, behind: str, words: str, marks: str = "") -> Markup:
    return made(f'<time datetime="{escape(when)}" title="{behind}"{marks}>{words}</time>')


class Clock:
    """Writes times as seen now. One for each page, so that all its times agree."""

    def __init__(self) -> None:
        self.now = current().clock() / MICROSECONDS

    def ago(self, text: str) -> Markup:
        """`3 min ago`, with the exact time behind it; a dash for no time."""
        if not text:
            return NO_TIME
        moment = parse(text)
        return _tag(text, exact_time(moment), ago(self.now - moment.timestamp()), " data-ago")

    def short(self, text: str) -> Markup:
        """`3 min`: for narrow columns, the full words behind it."""
        if not text:
            return NO_TIME
        moment = parse(text)
        words = ago(self.now - moment.timestamp()).removesuffix(" ago")
        return _tag(text, exact_time(moment), words, " data-ago data-short")

    def exact(self, text: str) -> Markup:
        """The time itself, to the second."""
        if not text:
            return NO_TIME
        moment = parse(text)
        return _tag(text, ago(self.now - moment.timestamp()), exact_time(moment))

    def point(self, seconds: int) -> str:
        """Where a chart's point begins."""
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"

    def at(self, microseconds: int) -> Markup:
        """`ago` for a time that is counted in microseconds."""
        return self.ago(datetime.fromtimestamp(microseconds / MICROSECONDS, UTC).isoformat().replace("+00:00", "Z"))


def exact(count: int) -> str:
    """All digits, in groups."""
    return f"{count:,}"


def number(count: int) -> Markup:
    """Exact up to 9,999; then three figures with the exact number behind them."""
    if count < COMPACT_FROM:
        return made(f"{count:,}")
    for unit, word in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            value = count / unit
            text = f"{value:.1f}" if value < 100 else f"{value:.0f}"
            return made(f'<span title="{count:,}">{text.removesuffix(".0")}{word}</span>')
    raise AssertionError("unreachable: count >= 10,000 has a unit")


def plural(count: int, one: str, many: str = "") -> str:
    """`1 event`, `2,000 events`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """Bytes for people."""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TB"
