"""The pages and the JSON API. The only package that imports Django."""
