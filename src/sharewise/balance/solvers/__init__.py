"""Small problems in the Gramian of T tasks, solved in float64 on the CPU: the inner half of the gradient methods."""

from .constrained import min_norm_constrained as min_norm_constrained
from .dual_cone import project_weights as project_weights
from .equal_angles import equal_angles as equal_angles
from .fair_share import fair_share as fair_share
from .geometric_median import geometric_median as geometric_median
from .min_norm import min_norm as min_norm
from .nonnegative import minimise_nonnegative as minimise_nonnegative
from .orders import draw_orders as draw_orders
from .simplex import project_simplex as project_simplex
from .weigh import weigh as weigh
from .worst_case import raise_worst_case as raise_worst_case
