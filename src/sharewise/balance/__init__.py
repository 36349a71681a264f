"""Many losses, one step: loss weightings and gradient methods, and the engine under them."""

from .backward import backward as backward
from .balancer import Balancer as Balancer
from .equal import Equal as Equal
from .fixed import Fixed as Fixed
from .signal import Signal as Signal
from .uncertainty_weighting import UncertaintyWeighting as UncertaintyWeighting
from .update import Direction as Direction
from .update import Update as Update
from .update import Weights as Weights
