"""How people ask for events and issues."""
