"""Charts, drawn on the server as SVG without a single style attribute: the CSP allows none."""

from collections.abc import Sequence
from datetime import UTC, datetime

from markupsafe import Markup

from catchall.store.base import SeriesPoint

SPARK_WIDTH, SPARK_HEIGHT = 112, 24
TREND_WIDTH, TREND_HEIGHT = 600, 96
BAR_GAP_SHARE = 0.25
DAY = 86_400


def bars(points: Sequence[SeriesPoint], width: float, height: float) -> str:
    """One SVG path with a bar for each point. A count of one is still visible."""
    peak = max((point.count for point in points), default=0)
    if not peak:
        return ""
    step = width / len(points)
    wide = step * (1 - BAR_GAP_SHARE)
    parts = []
    for index, point in enumerate(points):
        if point.count:
            tall = max(2.0, height * point.count / peak)
            parts.append(f"M{index * step:.1f} {height:g}v-{tall:.1f}h{wide:.1f}v{tall:.1f}z")
    return "".join(parts)


def label_of(start: int, step: int) -> str:
    """How a point's time is written: with the hour where points are shorter than a day."""
    return f"{datetime.fromtimestamp(start, UTC):{'%b %d' if step >= DAY else '%b %d %H:%M'}}"


def sentence(points: Sequence[SeriesPoint]) -> str:
    """What a chart says, in words, for those who do not see it."""
    total = sum(point.count for point in points)
    if not total:
        return "no events in this time"
    step = points[1].start - points[0].start if len(points) > 1 else DAY
    peak = max(points, key=lambda point: point.count)
    return f"{total:,} events, most at {label_of(peak.start, step)}: {peak.count:,}"


def sparkline(points: Sequence[SeriesPoint]) -> Markup:
    """A row's small chart."""
    return Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}" '
        'preserveAspectRatio="none"><path class="spark-base" d="M0 {3}h{0}"/><path d="{4}"/></svg>'
    ).format(SPARK_WIDTH, SPARK_HEIGHT, sentence(points), SPARK_HEIGHT - 0.5, bars(points, SPARK_WIDTH, SPARK_HEIGHT))


def trend(points: Sequence[SeriesPoint], name: str) -> Markup:
    """A page's chart. A script lets people brush a range of it; its table stands below it (templates)."""
    if not points:
        return Markup("")
    step = points[1].start - points[0].start if len(points) > 1 else DAY
    return Markup(
        '<svg class="trend" viewBox="0 0 {0} {1}" role="img" aria-label="{2}: {3}" preserveAspectRatio="none" '
        'data-since="{4}" data-until="{5}" data-points="{6}">'
        '<path class="trend-base" d="M0 {7}h{0}"/><path d="{8}"/></svg>'
    ).format(
        TREND_WIDTH,
        TREND_HEIGHT,
        name,
        sentence(points),
        points[0].start,
        points[-1].start + step,
        len(points),
        TREND_HEIGHT - 0.5,
        bars(points, TREND_WIDTH, TREND_HEIGHT),
    )


def axis(points: Sequence[SeriesPoint]) -> Markup:
    """The line below a chart: where it begins, how high its highest bar is, where it ends."""
    if not points:
        return Markup("")
    step = points[1].start - points[0].start if len(points) > 1 else DAY
    peak = max(point.count for point in points)
    return Markup(
        '<p class="trend-axis" aria-hidden="true"><span>{0}</span><span>highest {1:,}</span><span>{2} UTC</span></p>'
    ).format(label_of(points[0].start, step), peak, label_of(points[-1].start + step, step))


def share(count: int, total: int) -> Markup:
    """A bar for a part of a whole; the number stands beside it."""
    percent = 100 * count / total if total else 0.0
    return Markup(
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{0:.0f} %">'
        '<path class="share-base" d="M0 0h100v8H0z"/><path d="M0 0h{1:.1f}v8H0z"/></svg>'
    ).format(percent, max(1.0, percent))
