"""Inner folds in which a baseline tunes itself, on its own training rows alone."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

from sharewise.task import Kind


def folds(y: np.ndarray, kind: Kind, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(train, held out) rows: 5 folds up to 1,000 rows, 3 up to 3,000, one split of 20 % above; by class if possible.
    """
    numbers = kind.name == "regression"
    least = len(y) if numbers else int(np.unique(y, return_counts=True)[1].min())
    count = min(5 if len(y) <= 1000 else 3 if len(y) <= 3000 else 1, len(y))
    if count > 1 and (numbers or least < 2):
        cutter = KFold(count, shuffle=True, random_state=seed)
    elif count > 1:
        cutter = StratifiedKFold(max(2, min(count, least)), shuffle=True, random_state=seed)
    else:
        cutter = (ShuffleSplit if numbers or least < 2 else StratifiedShuffleSplit)(1, test_size=0.2, random_state=seed)
    return list(cutter.split(y[:, None], y if not numbers else None))
