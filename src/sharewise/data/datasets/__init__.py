"""The small real sets that ship with the package: ``load("nhanes")``."""

from .load import Dataset as Dataset
from .load import load as load
from .load import names as names
