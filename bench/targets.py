"""The figures of speed and size that catchall promises on two cores, and what a run of the benches says about them."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple


class Target(NamedTuple):
    """A figure. `path`: where it stands in the results, by bench and names; `least`: it must be reached, not kept."""

    figure: str
    path: tuple[str, ...]
    bound: float
    unit: str
    least: bool = False


class Row(NamedTuple):
    """A line of the table."""

    figure: str
    target: str
    measured: str
    verdict: Literal["ok", "MISSED", "not measured"]


TARGETS = (
    Target("durable acks, intake alone", ("line", "acks", "acks_per_s_intake_alone"), 10_000, "/s", least=True),
    Target(
        "durable acks while a worker drains", ("line", "processing", "acks_per_s_while_draining"), 7_000, "/s", True
    ),
    Target("fully processed, log drained", ("line", "processing", "processed_per_s"), 4_000, "/s", least=True),
    Target("CPU in workers", ("line", "processing", "cpu_us_per_event", "workers"), 250, "us/event"),
    Target("CPU in workers, by stage", ("stages", "sum_us_per_event"), 250, "us/event"),
    Target("ack p99 at 200/s, pages loading", ("line", "latency", "p99_ms"), 5, "ms"),
    Target("visible after the ack, p99", ("line", "visible", "p99_s"), 0.5, "s"),
    Target("memory at rest", ("line", "idle", "idle_pss_mib"), 150, "MiB"),
    Target("memory under load", ("line", "processing", "peak_pss_mib"), 220, "MiB"),
    Target("memory under load, many faults", ("line", "faults", "peak_pss_mib"), 220, "MiB"),
    Target("disk, 50 faults", ("line", "processing", "disk_bytes_per_event"), 2_400, "B/event"),
    Target("disk, 5,000 faults", ("line", "faults", "disk_bytes_per_event"), 3_000, "B/event"),
    Target("start", ("line", "idle", "start_s"), 3, "s"),
    Target("issue list, p95", ("queries", "queries", "issue_list", "p95_ms"), 100, "ms"),
    Target("issue page, p95", ("queries", "queries", "issue_page", "p95_ms"), 100, "ms"),
    Target("indexed search, p95", ("queries", "queries", "search", "p95_ms"), 100, "ms"),
    Target("facets, p95", ("queries", "queries", "facets", "p95_ms"), 100, "ms"),
    Target("series, p95", ("queries", "queries", "series", "p95_ms"), 100, "ms"),
    Target("cost per event, last mark to first", ("queries", "growth_ratio", "ratio"), 1.2, "times"),
    Target("disk when filled", ("queries", "disk_bytes_per_event"), 3_000, "B/event"),
    Target("acked and lost in kill -9", ("kills", "lost"), 0, "events"),
    Target("stored twice in kill -9", ("kills", "doubled"), 0, "events"),
)


def found_at(results: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    """The figure at a path; None when that bench did not run or failed."""
    place: Any = results
    for name in path:
        if not isinstance(place, Mapping) or name not in place:
            return None
        place = place[name]
    return float(place) if isinstance(place, int | float) else None


def judge(target: Target, results: Mapping[str, Any]) -> Row:
    """One line of the table."""
    sign = ">=" if target.least else "<="
    wanted = f"{sign} {target.bound:,g} {target.unit}"
    found = found_at(results, target.path)
    if found is None:
        return Row(target.figure, wanted, "-", "not measured")
    reached = found >= target.bound if target.least else found <= target.bound
    return Row(target.figure, wanted, f"{found:,g} {target.unit}", "ok" if reached else "MISSED")


def table(results: Mapping[str, Any]) -> str:
    """All figures as text."""
    rows = [("figure", "target", "measured", ""), *(judge(target, results) for target in TARGETS)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
