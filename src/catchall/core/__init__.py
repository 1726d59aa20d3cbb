"""The domain: event model, issues, ledger, limits. Pure: no I/O, no clock, no random."""
