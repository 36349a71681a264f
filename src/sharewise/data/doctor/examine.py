"""Look a table over before anything is trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ...task import Task
from ..targets import encode_targets
from .columns import column_findings
from .copied import copied_targets
from .explain import levels
from .finding import LEVELS, Finding
from .gaps import gap_findings
from .kinds import kind_findings
from .labels import gathered, label_findings
from .leaks import watch
from .rows import is_telling, row_findings, unseen_classes
from .sample import copies_of, sample_rows, targets_of

Array = np.ndarray


def examine(table: pd.DataFrame, tasks: Sequence[Task], features: Sequence[str],
            Y: Float[Array, "N W"] | None = None, test: Bool[Array, "N"] | None = None, groups: Any = None,
            seed: int = 0, by_time: bool = False) -> list[Finding]:
    """What is wrong, or may be, with the targets, the features and the rows of a table; errors first.

    ``Y`` [N, W] are the encoded targets (made from the table where not given), ``test`` [N] the rows kept for testing,
    ``groups`` [N] what each row belongs to. Targets of test rows are looked at for classes that training does not
    have, and for nothing else. ``by_time``: the table is split in time.

    The leak watch (``leaks.watch``) sees at most 5,000 rows and 100 more of each rare class, and measures each feature
    by itself, so that 100,000 rows x 100 features x 20 targets take seconds. Of leaks that need two or three features
    to show it sees weighted sums and products of powers that give a number, and thresholds that give a class.

    >>> from sharewise.task import Regression
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"age": rng.normal(size=300), "y_copy": 0.0, "y": rng.normal(size=300)})
    >>> table["y_copy"] = 2 * table["y"] + 1
    >>> for finding in examine(table, [Task("y", Regression())], ["age", "y_copy"]):
    ...     print(finding.level, finding.code, finding.columns)
    warning leak ('y_copy',)
    """
    Y = encode_targets(table, tasks) if Y is None else Y
    train = np.ones(len(table), dtype=bool) if test is None else ~np.asarray(test, dtype=bool)
    member = None if groups is None else pd.factorize(np.asarray(groups), use_na_sentinel=False)[0]
    found = [*gathered(list(kind_findings(Y[train], tasks))), *label_findings(Y, tasks, train)]
    if test is not None:
        found.extend(unseen_classes(Y, tasks, ~train))
    numbers = dict.fromkeys(name for task in tasks if not task.kind.classes for name in task.columns)
    found.extend(gap_findings(table.loc[train], [*numbers, *features]))
    if features:
        copies = copies_of(table, features)
        targets = targets_of(np.where(train[:, None], Y, np.nan), tasks)
        rows = sample_rows(copies, targets, train, member, seed)
        known = {name: levels(table[name].iloc[rows]) for name in features}
        found.extend(watch(known, targets, rows, by_time))
        found.extend(copied_targets(targets))
        found.extend(row_findings(copies, is_telling(list(known.values())), None if test is None else ~train, member))
        found.extend(column_findings(table.loc[train], features))
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))
