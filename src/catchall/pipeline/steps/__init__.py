"""The steps, one plain function in each file; pure."""
