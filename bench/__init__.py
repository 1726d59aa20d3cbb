"""Measurements: each module is one command that prints one JSON line. Loopback only, bounded in count and time."""
