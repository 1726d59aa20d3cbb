"""Tools of the repository: set up the checkout, build the pages, find a browser. Standard library only."""
