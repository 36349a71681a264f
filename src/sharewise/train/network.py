"""The network behind the Estimator role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float

from ..balance import Balancer, Equal, Recorder
from ..base import UsageError
from ..base.checks import at_least_one, no_duplicates, within
from ..base.estimator import Estimator, Means, fit_scales, standardise
from ..relate import FoundGroups, find_tree
from ..share import SharedModel
from ..task import Scale, Task, observed_rows, slices
from .adopt import adopt
from .architecture import Architecture
from .bundle import Bundle, Member, Sizes, make_bundle
from .cost import per_row
from .features import fit_features
from .harvest import hand_out
from .layers import hash_seed
from .loop import Rows, Run, train
from .nets import Net, load_nets, predict, save_nets
from .own_rows import is_apart, rows_are_own
from .recipe import Recipe, Tree
from .seats import shape_of
from .sizes import multiply_adds, sizes_for
from .watched import summarise

Array = np.ndarray
Groups = list[tuple[int, ...]]


class Network(Estimator):
    """Multilayer perceptrons over numeric embeddings: one for all tasks, one a task, or one a group of tasks; or any
    other way of sharing them.

    All networks of a fit (folds x groups x ``members``) of one shape train together, as batched matrix products, so
    that groups, separate networks and K folds cost one loop. Inputs: see Features. AdamW with one cycle of the learning
    rate, a running mean of the weights, losses in units of the trivial predictor; heads start there too.

    The number of steps is fixed by the number of rows. ``fit_folds`` keeps up to ten moments of the training and gives
    each task of fold k the one that was best on the *other* folds' held-out rows, so that no row of training is spent
    and the rows that stop a training never judge it. ``fit`` has no held-out rows and keeps the last moment.

    ``sharing``: "hard" (one trunk for all tasks; Caruana 1997, Multitask learning),
    "separate" (each task alone), groups of task names, or a ``relate.FoundGroups``, by which each fold finds its groups
    from its own rows; a task's moment then comes from the groups that other folds learned it in.
    ``balancer``: weighs the losses in a group; constant weights go through the batched loop, others train network by
    network. ``architecture``: another way for the tasks of a group to share than one trunk; a way that leaves its trunk
    as it is gets one that half of the steps have trained on all tasks, and one that branches the tree that
    ``relate.find_tree`` finds, in every fold from its own rows. ``hidden``, ``steps``: None = by the number of
    rows. ``embedding``: parts of a number at most (0: none). ``weight_decay``: strength of regularisation, 0 to about
    8; ``dropout``: None = grows with the decay, to 0.3; ``members``: networks of an ensemble; ``effort`` multiplies the
    number of steps.
    UsageError for groups that do not hold every task once, and for numbers out of range.

    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(64, 3)); Y = X[:, :2] * 2
    >>> network = Network([Task("a", Regression()), Task("b", Regression())], steps=60).fit(X, Y)
    >>> network.predict_mean(X)["a"].shape
    (64, 1)
    """

    family: ClassVar[str] = "network"
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], sharing: str | Sequence[Sequence[str]] | FoundGroups = "hard",
                 balancer: Balancer | None = None, architecture: Architecture | None = None,
                 hidden: int | None = None, depth: int = 2, embedding: int = 8, dropout: float | None = None,
                 weight_decay: float = 0.3, rate: float = 3e-3, steps: int | None = None, effort: float = 1.0,
                 members: int = 1, seed: int = 0) -> None:
        self.tasks, self.sharing, self.balancer, self.architecture = tasks, sharing, balancer, architecture
        self.hidden, self.depth, self.embedding, self.dropout = hidden, depth, embedding, dropout
        self.weight_decay, self.rate, self.steps, self.effort = weight_decay, rate, steps, effort
        self.members, self.seed = members, seed
        self._check_options()

    @property
    def shares(self) -> bool:
        return any(len(group) > 1 for group in self.groups())

    def groups(self) -> Groups:
        """The tasks of each trunk, by their places; of groups that are still to be found a guess of their sizes."""
        if self.sharing == "hard":
            return [tuple(range(len(self.tasks)))]
        if self.sharing == "separate":
            return [(at,) for at in range(len(self.tasks))]
        if isinstance(self.sharing, FoundGroups):
            return self._places(self.sharing.guess([task.name for task in self.tasks]))
        return self._places(self.sharing)

    def _places(self, groups: Sequence[Sequence[str]]) -> Groups:
        place = {task.name: at for at, task in enumerate(self.tasks)}
        return [tuple(place[name] for name in group) for group in groups]

    def _groups_of_folds(self, X: Array, Z: Array, train_rows: Array) -> list[Groups]:
        if not isinstance(self.sharing, FoundGroups):
            return [self.groups()] * len(train_rows)
        return [self._places(self.sharing.find(X[rows], Z[fold][rows], self.tasks))
                for fold, rows in enumerate(train_rows)]

    def _tree(self, X: Array, Z: Array, group: tuple[int, ...]) -> Tree:
        """Who shares which stage, where the architecture branches: found from these rows, those of one fold."""
        if self.architecture is None or not self.architecture.finds_tree or len(group) == 1:
            return ()
        tasks, parts = [self.tasks[at] for at in group], slices(self.tasks)
        own = np.hstack([Z[:, parts[task.name]] for task in tasks]).astype(np.float64)
        stages = find_tree(X, own, tasks, self.depth)
        return tuple(tuple(next(at for at, names in enumerate(groups) if task.name in names) for task in tasks)
                     for groups in stages)

    def cost(self, rows: int, features: int, folds: int = 1, observed: float = 1.0) -> float:
        """About how many multiply-adds a fit takes; ``observed``: share of the rows in which a task has a target."""
        total = 0.0
        for group in self.groups():
            sizes = self._sizes(int(rows * min(1.0, observed * len(group))))
            if self.architecture is None or len(group) == 1:
                outputs = sum(self.tasks[at].kind.raw_size for at in group)
                total += multiply_adds(sizes, features, self.embedding, self.depth, outputs)
            else:
                row, weights = self._per_row(sizes, features, len(group))
                total += sizes.steps * (sizes.batch * 3.0 * row + 12.0 * weights)
        return total * folds * self.members

    def most_parameters(self, rows: int, features: int) -> float:
        """About how many parameters its largest network has."""
        sizes = self._sizes(rows)
        return max((self._per_row(sizes, features, len(group))[1] for group in self.groups()), default=0.0)

    def _per_row(self, sizes: Sizes, features: int, tasks: int) -> tuple[float, float]:
        architecture = self.architecture or Architecture()
        shape = (features * (1 + self.embedding), sizes.hidden, self.depth)
        row, weights = per_row(architecture, tasks, *shape)
        if rows_are_own(self.tasks) and is_apart(architecture):
            row, _ = per_row(architecture, 1, *shape)
        return row, weights

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        self._learn(X, Z[None], np.ones((1, len(X)), dtype=bool), [self])

    def _fit_folds(self, X: Float[Array, "N D"], Y: Float[Array, "N W"], train: Bool[Array, "K N"]) -> list[Network]:
        copies = [deepcopy(self) for _ in train]
        Z = np.empty((len(train), *Y.shape), dtype=np.float32)
        for fold, copy in enumerate(copies):
            copy.scales_, copy.features_ = fit_scales(self.tasks, Y[train[fold]]), X.shape[1]
            Z[fold] = standardise(self.tasks, Y, copy.scales_)
        self._learn(X, Z, train, copies)
        return copies

    def _learn(self, X: Array, Z: Array, train_rows: Array, copies: Sequence[Any]) -> None:
        """Train every member; hand each copy (a fold) its nets."""
        observed = observed_rows(Z[0], self.tasks)
        features = fit_features(X, train_rows, self.embedding)
        never = np.full((*Z.shape[:2], 1), np.nan, dtype=np.float32)  # what a slot without a task reads
        rows = Rows(torch.from_numpy(X), torch.from_numpy(np.concatenate([Z, never], axis=2, dtype=np.float32)),
                    features)
        scales = [copy.scales_ for copy in copies]
        for fold, copy in enumerate(copies):
            copy.nets_, copy.net_features_ = [], features.of(fold)
        runs = []
        groups = self._groups_of_folds(X, Z, train_rows)
        trees = [{group: self._tree(X[rows], Z[fold][rows], group) for group in groups[fold]}
                 for fold, rows in enumerate(train_rows)]
        for sizes, members in self._bundled(observed, train_rows, trees):
            bundle = make_bundle(members, self.tasks, observed, scales, self._joined(members[0].group))
            runs.append((bundle, self._train(bundle, sizes, rows, scales)))
        if runs:
            hand_out(runs, copies)
        for copy in copies:
            copy.nets_ += self._trivial(copy, features.size)
        copies[0].watched_ = tuple(summarise(run.record) for _, run in runs if run.record is not None)

    def _train(self, bundle: Bundle, sizes: Sizes, rows: Rows, scales: Sequence[dict[str, Scale]]) -> Run:
        """Train one bundle; where the architecture leaves its trunk as it is, half of the steps train that before."""
        seed = hash_seed(self.seed, 1)
        shape = (rows.features.size, sizes, self.depth, self._dropout(), seed, scales)
        if self.architecture is None or len(bundle.names) == 1:
            return self._run(bundle.model(*shape), bundle, rows, sizes)
        model = bundle.stacked(self.architecture, *shape)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # of dropout
            if all(parameter.requires_grad for parameter in model.parameters()):
                return self._run(model, bundle, rows, sizes)
            half = sizes._replace(steps=-(-sizes.steps // 2))
            adopt(model, bundle, self._run(bundle.model(*shape), bundle.without_held_out(), rows, half).model)
            return self._run(model, bundle, rows, half)

    def _run(self, model: SharedModel, bundle: Bundle, rows: Rows, sizes: Sizes) -> Run:
        """Train a model. The first network of a group is watched, where its weights are more than constants."""
        first, rest = bundle.members[0], (self.rate, self.weight_decay, hash_seed(self.seed, 2))
        balancer = self._balancer(first.group)
        if balancer.is_constant or (first.fold, first.copy) != (0, 0):
            return train(model, bundle, rows, sizes, balancer, *rest)
        recorder = Recorder(balancer, balancer.tasks or bundle.names, size=sizes.steps)
        return replace(train(model, bundle, rows, sizes, recorder, *rest), record=recorder.record())

    def _trivial(self, copy: Any, inputs: int) -> list[Net]:
        """A net without layers for the tasks that had no row to learn from: they answer with their trivial mean."""
        missing = set(range(len(self.tasks))) - {at for net in copy.nets_ for at in net.answers}
        starts = {at: torch.tensor([self.tasks[at].kind.start(copy.scales_[self.tasks[at].name])])
                  for at in sorted(missing)}
        return [Net([], {at: (torch.zeros(inputs, start.shape[1]), start) for at, start in starts.items()})] \
            if missing else []

    def _bundled(self, observed: Array, train_rows: Array,
                 trees: Sequence[Mapping[tuple[int, ...], Tree]]) -> list[tuple[Sizes, list[Member]]]:
        """Members by bundle: of one shape and about one number of rows. Groups of whatever tasks are of one shape where
        they have one trunk; a general balancer takes one member at a time. ``trees``: of each fold's groups."""
        folds_of: dict[tuple[int, ...], list[int]] = {}
        for fold, found in enumerate(trees):
            for group in found:
                folds_of.setdefault(group, []).append(fold)
        bundles: dict[tuple[object, Sizes, object], list[Member]] = {}
        for group, folds in folds_of.items():
            seen = observed[:, list(group)].any(axis=1)
            constant = len(group) == 1 or self._joined(group)
            alike = self.balancer is None and self.architecture is None  # others know their tasks by name
            shape = shape_of(self.tasks[group[0]]) if len(group) == 1 else "trunk" if alike else group
            counts = (train_rows & seen).sum(axis=1)
            for fold in (fold for fold in folds if counts[fold]):
                sizes = self._sizes(int(counts[counts > 0].mean()))
                own, held_out = (np.flatnonzero(rows & seen) for rows in (train_rows[fold], ~train_rows[fold]))
                tree = trees[fold][group]
                for copy in range(self.members):
                    key = ((shape, tree), sizes, None if constant else (fold, copy))
                    bundles.setdefault(key, []).append(Member(fold, copy, group, own, held_out, tree))
        return [(sizes, members) for (_, sizes, _), members in bundles.items()]

    def _sizes(self, rows: int) -> Sizes:
        return sizes_for(rows, self.hidden, self.steps, self.effort)

    def _dropout(self) -> float:
        return min(0.1 * (self.weight_decay / 0.3) ** 0.5, 0.3) if self.dropout is None else self.dropout

    def _joined(self, group: tuple[int, ...]) -> bool:
        return self._balancer(group).is_constant

    def _balancer(self, group: tuple[int, ...]) -> Balancer:
        return Equal() if self.balancer is None or len(group) == 1 else deepcopy(self.balancer)

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        means = predict(self.nets_, self.net_features_, self.tasks, X, wanted)
        return {name: mean.astype(np.float64) for name, mean in means.items()}

    def _count_parameters(self) -> int:
        return sum(net.size for net in self.nets_)

    def _save(self, folder: Path) -> None:
        save_nets(folder, self.nets_, self.net_features_)

    def _load(self, folder: Path) -> None:
        self.nets_, self.net_features_ = load_nets(folder, self._make)

    def _make(self, group: tuple[int, ...], inputs: int, hidden: int, tree: Tree) -> SharedModel:
        """A network of the architecture whose weights are still to come."""
        starts = {self.tasks[at].name: [0.0] * self.tasks[at].kind.raw_size for at in group}
        recipe = Recipe(starts, inputs, hidden, self.depth, self._dropout(), self.seed, 0, tree)
        return (self.architecture or Architecture()).build(recipe)

    def _check_options(self) -> None:
        at_least_one("tasks", self.tasks)
        no_duplicates("tasks", [task.name for task in self.tasks])
        for name, low, high in (("depth", 1, 16), ("embedding", 0, 256), ("weight_decay", 0, 1e3),
                                ("rate", 1e-8, 1), ("effort", 1e-3, 1e3), ("members", 1, 1024)):
            within(name, getattr(self, name), low, high)
        for name, low, high in (("hidden", 1, 65_536), ("steps", 1, 1e9), ("dropout", 0, 0.95)):
            if getattr(self, name) is not None:
                within(name, getattr(self, name), low, high)
        if isinstance(self.sharing, str) and self.sharing not in ("hard", "separate"):
            raise UsageError("sharing", f"is {self.sharing!r}", "it must be 'hard', 'separate', groups of "
                             "names or a FoundGroups", "Change it.")
        if not isinstance(self.sharing, (str, FoundGroups)):
            named = sorted(name for group in self.sharing for name in group)
            if named != sorted(task.name for task in self.tasks) or not all(self.sharing):
                raise UsageError("sharing", f"has the groups {[list(group) for group in self.sharing]!r}",
                                 "every task must stand in exactly one group", "Mend the groups.")
