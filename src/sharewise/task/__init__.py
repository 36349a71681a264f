"""Floor 1: what is to be learned. A Task has a name and a Kind; a Kind owns loss, link, metric and decoding."""

from .class_weights import class_balanced_weights as class_balanced_weights
from .hierarchy import raise_parents as raise_parents
from .kind import Kind as Kind
from .kinds import Binary as Binary
from .kinds import Count as Count
from .kinds import Multiclass as Multiclass
from .kinds import Multilabel as Multilabel
from .kinds import Ordinal as Ordinal
from .kinds import Regression as Regression
from .label_losses import asymmetric_loss as asymmetric_loss
from .label_losses import focal_loss as focal_loss
from .missing import observed_rows as observed_rows
from .missing import slices as slices
from .numbers import read_numbers as read_numbers
from .positive_unlabelled import positive_unlabelled_loss as positive_unlabelled_loss
from .scale import Scale as Scale
from .task import Task as Task
