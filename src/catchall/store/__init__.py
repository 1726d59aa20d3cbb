"""Where understood events live, and the tables that change with every commit."""
