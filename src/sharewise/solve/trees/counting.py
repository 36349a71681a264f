"""How many numbers a boosted model holds: a threshold for each split, and the values of the leaves."""

from __future__ import annotations

import json
import re

import lightgbm
import xgboost


def lightgbm_size(model: lightgbm.Booster) -> int:
    """Splits and leaves of all trees; a tree of L leaves has L - 1 splits."""
    leaves = re.findall(r"^num_leaves=(\d+)", model.model_to_string(), re.MULTILINE)
    return sum(2 * int(count) - 1 for count in leaves)


def xgboost_size(model: xgboost.Booster, outputs: int) -> int:
    """Splits of all trees, and ``outputs`` values a leaf."""
    trees = json.loads(bytes(model.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    leaves = sum(child < 0 for tree in trees for child in tree["left_children"])
    return leaves - len(trees) + leaves * outputs
