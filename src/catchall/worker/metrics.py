"""The line's own numbers in Prometheus' text format. https://prometheus.io/docs/instrumenting/exposition_formats/"""

import time

from catchall.worker.standing import Standing


def standing_metrics(now: Standing) -> bytes:
    """What waits, what was committed, what became of it: one family after the other."""
    age = max(0.0, time.time() - now.oldest_at) if now.oldest_at is not None else 0.0
    lines = [
        *_family("catchall_requests_accepted_total", "counter", "Requests that the log ever accepted.", now.accepted),
        *_family("catchall_requests_committed_total", "counter", "Requests that reached the store.", now.committed),
        *_family("catchall_requests_waiting", "gauge", "Requests in the log that wait for a worker.", now.waiting),
        *_family("catchall_log_waiting_bytes", "gauge", "Bytes of the log that wait for a worker.", now.waiting_bytes),
        *_family("catchall_log_oldest_seconds", "gauge", "Age of the oldest waiting segment.", round(age, 3)),
        *_family("catchall_dead_letters_waiting", "gauge", "Dead letters that nobody dealt with.", now.dead_letters),
        *_family("catchall_ledger_balanced", "gauge", "1 when the ledger adds up.", int(now.balanced)),
        "# HELP catchall_items_total Items by where they ended (seen: all of them).",
        "# TYPE catchall_items_total counter",
    ]
    sums: dict[tuple[str, str, str], int] = {}
    for key, count in now.rows.items():
        label = (key.category, key.outcome, key.reason)
        sums[label] = sums.get(label, 0) + count
    for (category, outcome, reason), count in sorted(sums.items()):
        lines.append(f'catchall_items_total{{category="{category}",outcome="{outcome}",reason="{reason}"}} {count}')
    return "\n".join([*lines, ""]).encode()


def _family(name: str, kind: str, about: str, value: float) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}", f"{name} {value}"]
