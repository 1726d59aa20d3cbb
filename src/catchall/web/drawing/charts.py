"""Charts, drawn on the server as SVG without a single style attribute: the CSP allows none."""

from collections.abc import Sequence
from datetime import UTC, datetime

from markupsafe import Markup

from catchall.store.base import SeriesPoint
from catchall.web.drawing.markup import escape, made

BAR, BAR_STEP = 3, 4  # units of a chart's own width; the browser stretches them to the room there is
SPARK_HEIGHT, TREND_HEIGHT = 24, 96
SPARK_PIXELS = 112
DAY = 86_400


def bars(points: Sequence[SeriesPoint], height: int) -> str:
    """One SVG path with a bar for each point, in whole numbers. A count of one is still visible."""
    peak = max((point.count for point in points), default=0)
    parts = []
    x = 0
    for _, count in points:
        if count:
            tall = height * count // peak or 1
            parts.append(f"M{x} {height}v-{tall}h{BAR}v{tall}z")
        x += BAR_STEP
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
    width = len(points) * BAR_STEP
    return made(
        f'<svg class="spark" viewBox="0 0 {width} {SPARK_HEIGHT}" width="{SPARK_PIXELS}" height="{SPARK_HEIGHT}"'
        f' role="img" aria-label="{sentence(points)}" preserveAspectRatio="none">'
        f'<path class="chart-base" d="M0 {SPARK_HEIGHT}h{width}"/><path d="{bars(points, SPARK_HEIGHT)}"/></svg>'
    )


def trend(points: Sequence[SeriesPoint], name: str) -> Markup:
    """A page's chart. A script lets people brush a range of it; its table stands below it (templates)."""
    if not points:
        return made("")
    step = points[1].start - points[0].start if len(points) > 1 else DAY
    width = len(points) * BAR_STEP
    return made(
        f'<svg class="trend" viewBox="0 0 {width} {TREND_HEIGHT}" role="img" preserveAspectRatio="none"'
        f' aria-label="{escape(name)}: {sentence(points)}" data-since="{points[0].start}"'
        f' data-until="{points[-1].start + step}" data-points="{len(points)}">'
        f'<path class="chart-base" d="M0 {TREND_HEIGHT}h{width}"/><path d="{bars(points, TREND_HEIGHT)}"/></svg>'
    )


def axis(points: Sequence[SeriesPoint]) -> Markup:
    """The line below a chart: where it begins, how high its highest bar is, where it ends."""
    if not points:
        return made("")
    step = points[1].start - points[0].start if len(points) > 1 else DAY
    peak = max(point.count for point in points)
    first, last = label_of(points[0].start, step), label_of(points[-1].start + step, step)
    return made(
        f'<p class="trend-axis" aria-hidden="true"><span>{first}</span>'
        f"<span>highest {peak:,}</span><span>{last} UTC</span></p>"
    )


def share(count: int, total: int) -> Markup:
    """A bar for a part of a whole; the number stands beside it."""
    percent = 100 * count / total if total else 0.0
    return made(
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" role="img"'
        f' aria-label="{percent:.0f} %"><path class="share-base" d="M0 0h100v8H0z"/>'
        f'<path d="M0 0h{max(1.0, percent):.1f}v8H0z"/></svg>'
    )
