"""The doctor: what is wrong with a table, before any training."""

from .examine import examine as examine
from .finding import Finding as Finding
