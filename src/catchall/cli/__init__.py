"""The `catchall` command."""
