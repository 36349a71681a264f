"""Floor 2: who helps whom, estimated before training, and the groups that follow."""

from .cluster import group as group
from .coefficients import coefficient_affinity as coefficient_affinity
from .labels import label_affinity as label_affinity
