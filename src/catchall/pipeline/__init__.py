"""From a parsed item to an event that can be stored: THE list of steps is in build.py."""
