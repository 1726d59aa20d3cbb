"""The pages: each module reads through the stores, shapes what it found, and draws a template."""
