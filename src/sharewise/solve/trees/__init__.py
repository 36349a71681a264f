"""Trees: boosted, random forests, extra trees; each task for itself, or one model for all."""

from .boosted import BoostedTrees as BoostedTrees
from .extra_trees import ExtraTrees as ExtraTrees
from .joint_extra_trees import JointExtraTrees as JointExtraTrees
from .joint_random_forest import JointRandomForest as JointRandomForest
from .random_forest import RandomForest as RandomForest
from .joint_boosted_trees import JointBoostedTrees as JointBoostedTrees
from .pooled_extra_trees import PooledExtraTrees as PooledExtraTrees
from .pooled_trees import PooledTrees as PooledTrees
