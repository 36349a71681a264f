"""Where tables come from and go to: one file per format, chosen by the suffix of the path."""

from .memory import as_table as as_table
from .read import read_table as read_table
from .write import write_table as write_table
