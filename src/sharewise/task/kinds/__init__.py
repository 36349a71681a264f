"""The kinds of target."""

from .binary import Binary as Binary
from .count import Count as Count
from .multiclass import Multiclass as Multiclass
from .multilabel import Multilabel as Multilabel
from .ordinal import Ordinal as Ordinal
from .regression import Regression as Regression
