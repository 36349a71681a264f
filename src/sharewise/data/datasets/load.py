"""Read a set that ships with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import as_file, files

import pandas as pd

from ...base.checks import one_of

PLACE = "files"


@dataclass(frozen=True)
class Dataset:
    """A table and what there is to learn from it.

    ``targets`` are its target columns and ``kinds`` the kinds of those whose kind the values alone do not say, as
    written on the command line; ``task_column`` says which task a row belongs to (the long layout); ``group`` names
    the column of rows that belong together; ``drop`` the columns that must be no feature; ``card`` tells source,
    licence, citation, tasks and what was changed, in Markdown.
    """

    name: str
    table: pd.DataFrame
    targets: list[str]
    kinds: dict[str, str]
    task_column: str | None
    group: str | None
    drop: tuple[str, ...]
    card: str

    @property
    def features(self) -> list[str]:
        """The columns that are left as features."""
        other = {*self.targets, *self.drop, self.task_column, self.group}
        return [column for column in self.table.columns if column not in other]


def names() -> list[str]:
    """The names of the sets that ship with the package.

    >>> names()
    ['ai4i', 'energy', 'nhanes', 'parkinsons']
    """
    found = (files(__package__) / PLACE).iterdir()
    return sorted(entry.name.removesuffix(".json") for entry in found if entry.name.endswith(".json"))


def load(name: str) -> Dataset:
    """The set of that name. UnknownNameError, with the near names, where there is none.

    >>> energy = load("energy")
    >>> energy.table.shape, energy.targets
    ((768, 10), ['heating_load', 'cooling_load'])
    """
    one_of("data set", name, names())
    place = files(__package__) / PLACE
    about = json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
    with as_file(place / f"{name}.csv.gz") as path:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    return Dataset(name, table, about["targets"], about["kinds"], about["task_column"], about["group"],
                   tuple(about["drop"]), (place / f"{name}.md").read_text(encoding="utf-8"))
