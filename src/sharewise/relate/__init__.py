"""Floor 2: who helps whom, estimated before training, and the groups that follow."""

from .cluster import group as group
from .labels import label_affinity as label_affinity
