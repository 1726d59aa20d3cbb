"""The embedded store: SQLite databases and payload segments in the data folder."""
