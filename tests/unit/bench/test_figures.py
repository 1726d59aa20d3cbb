"""What becomes of measured numbers: percentiles, shares of stages, growth, the table."""

import os
import subprocess

from bench.filling import Spent, cost_between, growth, marks_of
from bench.peer import compare
from bench.processes import percentile_ms, with_children
from bench.stages import STAGES, Stopwatch, watched
from bench.targets import TARGETS, Target, judge, table
from catchall.pipeline import build
from catchall.worker import refine


def test_percentiles_are_values_that_occurred():
    assert percentile_ms([0.001 * number for number in range(100, 0, -1)], 0.5) == 51.0
    assert percentile_ms([0.001, 0.002], 0.99) == 2.0
    assert percentile_ms([0.003], 1.0) == 3.0
    assert percentile_ms([], 0.5) == 0.0


def test_a_stage_has_its_own_time_without_that_of_the_stages_inside():
    now = 0

    def passes(nanoseconds):
        nonlocal now
        now += nanoseconds

    watch = Stopwatch(clock=lambda: now)
    inner = watch.wrap("inner", lambda: passes(5))

    def outer_work():
        passes(1)
        inner()
        inner()
        passes(2)

    watch.wrap("outer", outer_work)()
    assert dict(watch.own) == {"inner": 10, "outer": 3}
    assert dict(watch.calls) == {"inner": 2, "outer": 1}


def test_a_stage_that_fails_is_watched_too():
    watch = Stopwatch(clock=iter(range(10)).__next__)

    def fails():
        raise ValueError

    failing = watch.wrap("failing", fails)

    def catches():
        try:
            failing()
        except ValueError:
            return

    watch.wrap("around", catches)()
    assert dict(watch.own) == {"failing": 1, "around": 2}


def test_every_stage_of_the_line_can_be_watched_and_is_left_as_it_was():
    steps, take = build.STEPS, refine.Refinery.take
    with watched(Stopwatch()):
        assert steps != build.STEPS and refine.Refinery.take is not take
    assert build.STEPS is steps and refine.Refinery.take is take
    assert {step.__name__ for step in steps} <= set(STAGES)


def test_growth_is_looked_at_at_each_mark_and_at_the_end():
    assert marks_of(20_000) == [10_000, 20_000]
    assert marks_of(5_000) == [5_000]
    assert marks_of(1_000_000) == [10_000, 100_000, 1_000_000]


def test_cost_is_that_of_the_events_in_between():
    found = cost_between(Spent(100, 1.0, 2.0), Spent(300, 1.1, 2.4))
    assert found == {"refine_us": 500.0, "commit_us": 2000.0, "sum_us": 2500.0}


def test_growth_is_told_with_the_pace_of_the_machine_beside():
    first = {"sum_us": 100.0, "json_loads_us": 50.0}
    slower = {"sum_us": 180.0, "json_loads_us": 90.0}
    assert growth([first, slower]) == {"ratio": 1.8, "ratio_by_pace": 1.0, "flat": False}
    assert growth([first, {"sum_us": 119.0, "json_loads_us": 50.0}])["flat"]
    assert not growth([first, {"sum_us": 79.0, "json_loads_us": 50.0}])["flat"]


def test_a_figure_is_reached_missed_or_not_measured():
    most = Target("memory", ("line", "peak"), 220, "MiB")
    least = Target("acks", ("line", "acks"), 10_000, "/s", least=True)
    assert judge(most, {"line": {"peak": 220}}).verdict == "ok"
    assert judge(most, {"line": {"peak": 220.1}}).verdict == "MISSED"
    assert judge(least, {"line": {"acks": 10_000}}).verdict == "ok"
    assert judge(least, {"line": {"acks": 9_999}}).verdict == "MISSED"
    assert judge(least, {"line": {}}).verdict == "not measured"
    assert judge(least, {}).verdict == "not measured"


def test_the_table_has_a_line_for_each_figure():
    lines = table({"kills": {"lost": 0, "doubled": 1}}).splitlines()
    assert len(lines) == len(TARGETS) + 1
    assert [line.split()[-1] for line in lines[-2:]] == ["ok", "MISSED"]


def test_a_peer_is_given_as_a_multiple_of_ours():
    own = {
        "acks_per_s": 100.0,
        "processed_per_s": 50.0,
        "cpu_us_per_event": 200,
        "idle_pss_mib": 100.0,
        "peak_pss_mib": 0.0,
        "disk_bytes_per_event": 2000,
        "at_rate": {"p99_ms": 4.0},
    }
    found = compare(own, {**own, "acks_per_s": 10.0, "at_rate": {"p99_ms": 8.0}})
    assert found["acks_per_s"] == 0.1 and found["p99_ms"] == 2.0 and found["cpu_us_per_event"] == 1.0
    assert found["peak_pss_mib"] is None


def test_children_are_counted_with_their_parents():
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    try:
        assert child.pid in with_children([os.getpid()])
        assert with_children([child.pid]) == [child.pid]
    finally:
        child.communicate()
