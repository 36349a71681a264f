"""Whatever a room exports is there, is explained, and shows an example that runs."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from importlib import import_module

import pytest

import sharewise
from sharewise.base import UnknownNameError, catalogue
from sharewise.cli import exports as described

ROOMS = [room for room in catalogue.ROOMS if (catalogue.PACKAGE / room.replace(".", "/") / "__init__.py").exists()]
EXPORTS = [(room, name) for room in ROOMS for name in catalogue.names(room)]
ROLES = [("balance", "Balancer"), ("share", "SharedModel"), ("solve.linear", "Estimator"), ("solve.trees", "Estimator"),
         ("solve.chain", "Estimator"), ("solve.labels", "LabelClassifier"), ("train", "Estimator"), ("task", "Kind"),
         ("relate", "Affinity"), ("relate", "Grouping")]

# Exports without an example of their own: why. A line that is no longer needed fails.
NO_EXAMPLE: dict[str, str] = {}
# Methods that follow no paper: why. A line that is no longer needed fails.
NO_PAPER = {
    "balance.Clip": "weights within bounds",
    "balance.Equal": "the plain sum of the losses",
    "balance.Fixed": "constant weights",
    "balance.InChunks": "a part of the gradients at a time",
    "balance.Preference": "weights times what the caller wants",
    "balance.Recorder": "keeps what another balancer does",
    "balance.Smooth": "a moving average of weights",
    "balance.WarmUp": "one balancer after another",
    "relate.Absolute": "another affinity without its sign",
    "relate.KernelDistance": "the distance of two kernel matrices",
    "relate.LabelCorrelation": "the plain correlation",
    "share.Separate": "a network a task",
    "task.Binary": "logistic likelihood",
    "task.Count": "Poisson likelihood",
    "task.Multiclass": "softmax likelihood",
    "task.Regression": "Gaussian likelihood",
}


def documentation(thing: object) -> str:
    """The docstrings of a class with its own methods, or of a function, and of its module."""
    texts = [inspect.getdoc(thing) or "", sys.modules[thing.__module__].__doc__ or ""]
    if isinstance(thing, type):
        texts += [inspect.getdoc(part) or "" for part in vars(thing).values() if callable(part) or
                  isinstance(part, (property, classmethod, staticmethod))]
    return "\n".join(texts)


@pytest.mark.parametrize(("room", "name"), EXPORTS)
def test_every_export_is_there_and_explained(room: str, name: str) -> None:
    thing = catalogue.load(room, name)
    assert callable(thing)
    own = thing.__doc__ or ""
    assert own.strip(), f"{room}.{name} needs a docstring"
    assert not (isinstance(thing, type) and own.startswith(f"{name}(")), f"{room}.{name} has only dataclass's docstring"


@pytest.mark.parametrize(("room", "name"), EXPORTS)
def test_every_export_shows_an_example(room: str, name: str) -> None:
    thing = catalogue.load(room, name)
    excused = f"{room}.{name}" in NO_EXAMPLE or bool(getattr(thing, "__abstractmethods__", None))
    excused |= isinstance(thing, type) and issubclass(thing, Exception)
    excused |= dataclasses.is_dataclass(thing)  # a value: the example of what makes it shows it
    assert excused or ">>>" in documentation(thing), f"{room}.{name} needs a small seeded example in its docstring"


@pytest.mark.parametrize(("room", "role"), ROLES)
def test_what_the_source_says_of_a_room_is_what_its_import_says(room: str, role: str) -> None:
    if room not in ROOMS:
        pytest.skip(f"room {room} is not built yet")
    from_source = {export.name for export in described.methods(room, role)}
    roles = {thing for home in ("base.estimator", "task.kind", "balance.balancer", "share.shared_model",
                                     "solve.labels.classifier", "relate.affinity", "relate.grouping")
             for name, thing in vars(import_module(f"sharewise.{home}")).items() if name == role}
    imported = {name for home in roles for name in catalogue.classes(room, home)}
    assert from_source == imported


@pytest.mark.parametrize(("room", "name"), [(room, export.name) for room, role in ROLES if room in ROOMS
                                            for export in described.methods(room, role)])
def test_every_method_names_its_paper(room: str, name: str) -> None:
    titles = [paper.title for paper in described.find(f"{room}.{name}").papers if paper.title]
    assert bool(titles) != (f"{room}.{name}" in NO_PAPER), (
        f"{room}.{name}: name authors, year, title in the docstring ('Kendall, Gal, Cipolla 2018, Multi-task ...'), "
        "or say in NO_PAPER why there is none")


@pytest.mark.parametrize("key", NO_EXAMPLE)
def test_every_excuse_is_still_needed(key: str) -> None:
    room, _, name = key.rpartition(".")
    assert ">>>" not in documentation(catalogue.load(room, name))


def test_an_unknown_name_suggests_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="Ordinal"):
        catalogue.load("task", "Ordnal")


@pytest.mark.parametrize("name", sharewise.__all__)
def test_every_name_of_the_package_is_there(name: str) -> None:
    assert getattr(sharewise, name) is not None
    assert name in dir(sharewise)
