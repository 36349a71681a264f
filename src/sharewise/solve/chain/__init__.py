"""Chaining over any estimator: predictions for other tasks as features."""

from .chains import Chains as Chains
from .stacked import Stacked as Stacked
