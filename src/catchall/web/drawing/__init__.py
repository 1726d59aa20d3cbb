"""How pages are drawn: templates, times, numbers, charts."""
