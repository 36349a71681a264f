"""One training, the choice of its setting on validation rows, and the time of one step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from statistics import median

import torch
from torch import Tensor

from sharing_networks import ADAPT, Network, adapt, build, whole
from sharing_sets import Part, Problem, Trial

LOOKS = 6  # how often a training looks at the validation rows
CHUNK = 4096
CHOICES_FASTER = 5  # than weights learn


@dataclass
class Trained:
    """A network, and the moment of its training that was best on the validation rows.

    All tasks of one network stop together, at the least sum of their losses; separate networks stop each at its own
    best. ``losses``: each task's loss there; ``states``: the parameters.
    """

    network: Network
    losses: dict[str, float] = field(default_factory=dict)
    states: dict[str, Mapping[str, Tensor]] = field(default_factory=dict)

    def look(self, now: Mapping[str, float], apart: bool) -> None:
        """Keep what is best so far."""
        groups = [[name] for name in now] if apart else [list(now)]
        better = [group for group in groups if group[0] not in self.losses
                  or sum(now[name] for name in group) < sum(self.losses[name] for name in group)]
        state = deepcopy(self.network.state_dict()) if better else {}
        for name in (name for group in better for name in group):
            self.losses[name], self.states[name] = now[name], state

    def scores(self, problem: Problem, part: Part) -> dict[str, float]:
        """Each task's measure on rows of a part, from the moment that was kept for it."""
        raws = {}
        for state in {id(state): state for state in self.states.values()}.values():
            self.network.load_state_dict(state)
            found = predict(self.network, part)
            raws |= {name: found[name] for name in found if self.states[name] is state}
        return {name: target.score(raws[name], part.targets[name]) for name, target in problem.targets.items()}


def train(name: str, problem: Problem, widths: tuple[int, ...], settings: Mapping[str, Trial], seed: int) -> Trained:
    """Train an architecture with a setting for each task; where tasks share anything, one for all."""
    torch.manual_seed(seed)
    network, steps = build(name, problem, widths), problem.effort.steps
    if name in ADAPT:
        steps //= 2
        before = _descend(network, problem, settings, steps, apart=False)
        network.load_state_dict(next(iter(before.states.values())))
        network = adapt(name, network)
    return _descend(network, problem, settings, steps, apart=name == "Separate")


def _descend(network: Network, problem: Problem, settings: Mapping[str, Trial], steps: int, apart: bool) -> Trained:
    done, rows, batch = Trained(network), len(problem.train.inputs), problem.effort.batch
    optimiser = torch.optim.AdamW(_groups(network, settings), fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    left = torch.empty(0, dtype=torch.long)
    for step in range(1, steps + 1):
        if len(left) < batch:
            left = torch.randperm(rows)
        now, left = left[:batch], left[batch:]
        take_step(network, problem, problem.train.take(now), optimiser, step / steps)
        schedule.step()
        if step % max(steps // LOOKS, 1) == 0:
            raws = predict(network, problem.valid)
            done.look({name: float(target.loss(raws[name], problem.valid.targets[name]))
                       for name, target in problem.targets.items()}, apart)
    return done


def take_step(network: Network, problem: Problem, part: Part, optimiser: torch.optim.Optimizer,
              progress: float = 1.0) -> None:
    """One step on the sum of the losses and what the architecture adds to it; ``progress``: share of the training."""
    network.train()
    network.advance(progress)
    raws = network(part.inputs)
    losses = [target.loss(raws[name], part.targets[name]) for name, target in problem.targets.items()]
    optimiser.zero_grad()
    (torch.stack(losses).sum() + network.added(raws)).backward()
    optimiser.step()


def _groups(network: Network, settings: Mapping[str, Trial]) -> list[dict]:
    """Parameters by learning rate and decay; what has one axis (biases, norms) does not decay, and choices do not."""
    choices = {id(weight) for weight in network.choices()}
    own = {id(weight): name for name in settings for weight in network.model.task_parameters(name)}
    some, groups = next(iter(settings.values())), {}
    for weight in network.parameters():
        if weight.requires_grad:
            rate, decay = settings[own[id(weight)]] if id(weight) in own else some
            if id(weight) in choices:
                rate, decay = CHOICES_FASTER * rate, 0.0
            groups.setdefault((rate, decay if weight.ndim > 1 else 0.0), []).append(weight)
    return [{"params": weights, "lr": rate, "weight_decay": decay} for (rate, decay), weights in groups.items()]


@torch.no_grad()
def predict(network: Network, part: Part) -> dict[str, Tensor]:
    """Each task's raw output for all rows of a part."""
    network.eval()
    found = [network(inputs) for inputs in part.inputs.split(CHUNK)]
    return {name: torch.cat([one[name] for one in found]) for name in found[0]}


def search(name: str, problem: Problem, widths: tuple[int, ...]) -> tuple[dict[str, Trial], list[dict[str, float]]]:
    """The best of the trials by validation loss, for all tasks together, or for separate networks for each; and each
    task's loss in every trial."""
    trials = problem.effort.trials
    found = [train(name, problem, widths, dict.fromkeys(problem.targets, trial), seed=0).losses for trial in trials]
    def best(tasks: list[str]) -> Trial:
        return trials[min(range(len(trials)), key=lambda at: sum(found[at][task] for task in tasks))]
    groups = [[task] for task in problem.targets] if name == "Separate" else [list(problem.targets)]
    return {task: best(group) for group in groups for task in group}, found


def step_seconds(name: str, problem: Problem, widths: tuple[int, ...], turns: int = 23) -> tuple[float, float]:
    """CPU seconds of a step on one thread, of this architecture and of separate networks: medians of steps taken in
    turns. Not the clock on the wall, as other programs may run beside."""
    ours, theirs = (_steps(one, problem, sizes) for one, sizes in (
        (name, widths), ("Separate", (problem.width,) * problem.stages)))
    seconds = [(next(ours), next(theirs)) if turn % 2 else (next(theirs), next(ours))[::-1] for turn in range(turns)]
    return median(one for one, _ in seconds[3:]), median(one for _, one in seconds[3:])


def _steps(name: str, problem: Problem, widths: tuple[int, ...]) -> Iterator[float]:
    """The CPU seconds of one step after another, on the same rows."""
    network, trial = whole(name, problem, widths), dict.fromkeys(problem.targets, problem.effort.trials[0])
    optimiser = torch.optim.AdamW(_groups(network, trial), fused=True)
    part = problem.train.take(torch.arange(problem.effort.batch))
    while True:
        started = time.thread_time()
        take_step(network, problem, part, optimiser)
        yield time.thread_time() - started
