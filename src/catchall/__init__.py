"""catchall: a self-hosted error tracker."""

__version__ = "0.1.0"
