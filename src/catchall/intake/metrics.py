"""What the front counts about itself: plain numbers, read by whoever serves /metrics."""

from collections.abc import Mapping

from catchall.core.errors import Reason

BUCKETS = 26  # of ack times: bucket n holds those below 2**n microseconds; the last one 33 s and more


class FrontMetrics:
    """Counters since the start of the process. Written by the event loop only."""

    def __init__(self) -> None:
        self.accepted = 0
        self.accepted_bytes = 0
        self.spooled = 0
        self.lanes = [0, 0, 0]
        self.ack_buckets = [0] * BUCKETS
        self.ack_microseconds = 0
        self.refused: dict[str, int] = {reason.value: 0 for reason in Reason}
        self.truncated = 0
        self.preflights = 0
        self.proxied = 0
        self.proxying = 0  # at this moment
        self.proxy_failed = 0
        self.heads_given_up = 0
        self.connections_refused = 0
        self.key_loads = 0
        self.key_load_errors = 0
        self.refusals_not_written = 0
        self.tls_reloads = 0
        self.tls_reload_errors = 0

    def acked(self, lane: int, size: int, microseconds: int) -> None:
        """One request became durable after so many microseconds."""
        self.accepted += 1
        self.accepted_bytes += size
        self.lanes[lane] += 1
        self.ack_microseconds += microseconds
        bucket = microseconds.bit_length()
        self.ack_buckets[bucket if bucket < BUCKETS else BUCKETS - 1] += 1

    def snapshot(self) -> Mapping[str, int]:
        """All counters by name; labels follow the name in braces, as Prometheus writes them."""
        numbers = {
            "catchall_intake_accepted_total": self.accepted,
            "catchall_intake_accepted_bytes_total": self.accepted_bytes,
            "catchall_intake_spooled_total": self.spooled,
            "catchall_intake_truncated_total": self.truncated,
            "catchall_intake_preflights_total": self.preflights,
            "catchall_front_proxied_total": self.proxied,
            "catchall_front_proxy_failed_total": self.proxy_failed,
            "catchall_front_heads_given_up_total": self.heads_given_up,
            "catchall_front_connections_refused_total": self.connections_refused,
            "catchall_intake_key_loads_total": self.key_loads,
            "catchall_intake_key_load_errors_total": self.key_load_errors,
            "catchall_intake_refusals_not_written_total": self.refusals_not_written,
            "catchall_front_tls_reloads_total": self.tls_reloads,
            "catchall_front_tls_reload_errors_total": self.tls_reload_errors,
        }
        for name, count in zip(("urgent", "normal", "spill"), self.lanes, strict=True):
            numbers[f'catchall_intake_lane_total{{lane="{name}"}}'] = count
        for reason, count in self.refused.items():
            if count:
                numbers[f'catchall_intake_refused_total{{reason="{reason}"}}'] = count
        return numbers

    def text(self) -> bytes:
        """The counters in Prometheus' text format 0.0.4, the ack times as a histogram in seconds.

        Source: https://prometheus.io/docs/instrumenting/exposition_formats/
        """
        lines: list[str] = []
        declared = ""
        for name, count in self.snapshot().items():
            family = name.partition("{")[0]
            if family != declared:
                lines.append(f"# TYPE {family} counter")
                declared = family
            lines.append(f"{name} {count}")
        lines.append("# TYPE catchall_intake_ack_seconds histogram")
        below = 0
        for exponent, count in enumerate(self.ack_buckets[:-1]):
            below += count
            lines.append(f'catchall_intake_ack_seconds_bucket{{le="{2**exponent / 1e6:g}"}} {below}')
        below += self.ack_buckets[-1]
        lines.append(f'catchall_intake_ack_seconds_bucket{{le="+Inf"}} {below}')
        lines.append(f"catchall_intake_ack_seconds_sum {self.ack_microseconds / 1e6:g}")
        lines.append(f"catchall_intake_ack_seconds_count {below}")
        return ("\n".join(lines) + "\n").encode()
