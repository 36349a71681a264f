"""Networks that share."""

from .hard_sharing import HardSharing as HardSharing
from .separate import Separate as Separate
from .shared_model import SharedModel as SharedModel
