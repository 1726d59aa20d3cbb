"""People's data: who may log in, and how they prove it. Its own database (people.db) and migrations."""
