"""Data from anywhere as one `Dataset`: names, folders and archives of images, tables, arrays and frames. No JAX."""

from steepest.data.arrays import from_arrays
from steepest.data.check import Report, check
from steepest.data.classes import check_splittable
from steepest.data.dataset import Dataset
from steepest.data.like import NewRows, read_like
from steepest.data.named import NAMED
from steepest.data.opening import open
from steepest.data.schema import Column, Schema
from steepest.data.sources import SOURCES
from steepest.data.standard import Standard

__all__ = [
    "NAMED",
    "SOURCES",
    "Column",
    "Dataset",
    "NewRows",
    "Report",
    "Schema",
    "Standard",
    "check",
    "check_splittable",
    "from_arrays",
    "open",
    "read_like",
]
