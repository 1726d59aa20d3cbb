"""From the log to the store: claim, refine, commit; and the work that time starts."""
