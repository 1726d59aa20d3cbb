"""Protocols: bytes in, items out. One file for each; no socket, no clock."""
