"""The sets on which ways of sharing are compared: one file a set, each with ``load(seed) -> Problem``."""

from functools import cache

from .adult import load as adult
from .camvid import load as camvid
from .kuairand import load as kuairand
from .multimnist import load as multimnist
from .problem import Part as Part
from .problem import Problem as Problem
from .problem import Trial as Trial
from .snips import load as snips
from .tox21 import load as tox21

LOADERS = {name: cache(load) for name, load in {"adult": adult, "tox21": tox21, "multimnist": multimnist,
                                                "kuairand": kuairand, "snips": snips, "camvid": camvid}.items()}
