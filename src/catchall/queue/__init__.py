"""The log between intake and workers: durable before it is acknowledged."""
