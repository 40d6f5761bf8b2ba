"""steepest: which optimization method and which regularization train best on your data, by how much."""

from steepest.core.version import __version__

__all__ = ["__version__"]
