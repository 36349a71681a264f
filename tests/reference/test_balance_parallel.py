"""Two processes that hold half of the rows each take the step of one process with all rows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import distributed, nn
from torch.distributed import device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Shard, distribute_tensor

from sharewise import balance
from sharewise.base import JobError, UsageError

pytestmark = pytest.mark.slow  # three imports of torch
ROWS, WIDTH, STEPS, PROCESSES = 12, 6, 3, 2
TASKS = ["a", "b", "c"]


class Net(nn.Module):
    """A trunk, a head a task, and a scale that all heads use and nobody calls shared, if wanted."""

    def __init__(self, scaled: bool = False) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh())
        self.heads = nn.ModuleDict({task: nn.Linear(WIDTH, 1) for task in TASKS})
        if scaled:
            self.scale = nn.Parameter(torch.ones(WIDTH))
        self.double()
        chance = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=chance, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        features = self.trunk(x) * getattr(self, "scale", 1.0)
        return {task: head(features)[:, 0] for task, head in self.heads.items()}


def losses_of(outputs: dict[str, torch.Tensor], x: torch.Tensor, seen: dict[str, torch.Tensor]) -> dict:
    """A mean over the rows that carry the task: NaN, with its graph, where there is none."""
    return {task: (outputs[task] - 3 * at * x[:, at]).square()[seen[task]].mean() for at, task in enumerate(TASKS)}


def train(make: Callable[[], balance.Balancer], rows: slice, wrapped: dict[str, bool] | None = None,
          heads: str = "plain", gaps: str = "", scaled: bool = False, group: object = None,
          sharded: str = "") -> list[torch.Tensor]:
    """Three steps; parameters, their last gradients, and the balancer's state. ``gaps``: "b" is in the first half
    alone, "c" in no row. ``wrapped``: in DistributedDataParallel, with these options, and a plain step in the end.
    ``sharded``: with fully_shard, the "whole" network, each of its "layers" too, or the "trunk" alone."""
    net, balancer = Net(scaled), make()
    if sharded and distributed.is_initialized():
        shard(net, sharded)
    is_wrapped = wrapped is not None and distributed.is_initialized()
    model = nn.parallel.DistributedDataParallel(net, **wrapped) if is_wrapped else net
    optimizer = torch.optim.SGD([*net.parameters(), *balancer.parameters()], lr=0.02, momentum=0.5)
    for step in range(STEPS):
        x = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(step), dtype=torch.float64)
        half = torch.arange(ROWS) < ROWS // 2
        seen = {task: half if task == "b" and "b" in gaps else half < 0 if task in gaps else half >= 0
                for task in TASKS}
        optimizer.zero_grad()
        if isinstance(balancer, (balance.MOML, balance.FORUM)):  # from losses of the same rows on all processes
            everyone = dict.fromkeys(TASKS, half | ~half)
            looks_ahead = isinstance(balancer, balance.FORUM)
            ahead = [lambda x=x, seen=everyone: losses_of(net(x), x, seen)] if looks_ahead else []
            balancer.observe(losses_of(net(-x), -x, everyone), list(net.trunk.parameters()), *ahead)
        losses = losses_of(model(x[rows]), x[rows], {task: rows_[rows] for task, rows_ in seen.items()})
        if wrapped is not None and step == STEPS - 1:
            sum(losses.values()).backward()
        else:
            balance.backward(losses, list(net.trunk.parameters()), balancer, heads=heads, group=group)
        optimizer.step()
    gradients = [torch.full_like(p, torch.nan) if p.grad is None else p.grad for p in net.parameters()]
    return [whole(tensor.detach()).clone() for tensor in (*net.parameters(), *gradients,
                                                          *balancer.state_dict().values())]


def shard(net: Net, how: str) -> None:
    mesh = device_mesh.init_device_mesh("cpu", (PROCESSES,))
    if how == "layers":
        for layer in (net.trunk[0], net.trunk[2], *net.heads.values()):
            fully_shard(layer, mesh=mesh)
    fully_shard(net.trunk if how == "trunk" else net, mesh=mesh)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


BALANCERS = {
    "Equal": balance.Equal, "Fixed": lambda: balance.Fixed([1.0, 2.0, 0.5]), "FAMO": lambda: balance.FAMO(TASKS),
    "UncertaintyWeighting": lambda: balance.UncertaintyWeighting(TASKS), "RLW": lambda: balance.RLW(TASKS),
    "GradNorm": lambda: balance.GradNorm(TASKS), "MGDA": balance.MGDA, "NashMTL": balance.NashMTL,
    "PCGrad": balance.PCGrad, "GradDrop": balance.GradDrop,
    "DBMTL": lambda: balance.DBMTL(TASKS, size=4 * 6 + 6 + 6 * 6 + 6),
    "MOML": lambda: balance.MOML(TASKS, size=4 * 6 + 6 + 6 * 6 + 6),
    "FORUM": lambda: balance.FORUM(TASKS, size=4 * 6 + 6 + 6 * 6 + 6, rate=1e-3),
    "PerLayer": lambda: balance.PerLayer(balance.UPGrad(), [2, 2]),
    "Every": lambda: balance.Every(2, balance.CAGrad(), tasks=TASKS),
    "LogLoss": lambda: balance.LogLoss(balance.MGDA()),
    "LastLayers": lambda: balance.LastLayers(balance.MGDA()),
    "Recorder": lambda: balance.Recorder(balance.Normalize(balance.Equal()), tasks=TASKS, size=4),
}
CASES = {name: partial(train, make) for name, make in BALANCERS.items()}
CASES |= {f"{name}, wrapped": partial(train, BALANCERS[name], wrapped={}) for name in ("Equal", "FAMO", "MGDA")}
CASES["MGDA, wrapped, views"] = partial(train, BALANCERS["MGDA"], wrapped={"gradient_as_bucket_view": True})
CASES |= {f"{name}, weighted heads": partial(train, BALANCERS[name], heads="weighted") for name in ("Fixed", "MGDA")}
CASES |= {f"{name}, gaps": partial(train, BALANCERS[name], gaps="bc")
          for name in ("Equal", "Fixed", "FAMO", "MGDA", "GradDrop")}
CASES |= {f"{name}, a parameter that is no head": partial(train, BALANCERS[name], heads="weighted", scaled=True)
          for name in ("Fixed", "MGDA")}
CASES |= {f"{name}, sharded": partial(train, BALANCERS[name], sharded=how) for name, how in [
    ("Equal", "whole"), ("Fixed", "whole"), ("FAMO", "layers"), ("UncertaintyWeighting", "trunk"), ("MGDA", "whole"),
    ("PCGrad", "trunk"), ("NashMTL", "layers"), ("GradNorm", "whole"), ("LogLoss", "layers"), ("Recorder", "whole")]}
CASES |= {f"{name}, sharded, weighted heads": partial(train, BALANCERS[name], heads="weighted", sharded=how)
          for name, how in [("Fixed", "whole"), ("MGDA", "layers"), ("UncertaintyWeighting", "trunk")]}
CASES |= {f"{name}, sharded, gaps": partial(train, BALANCERS[name], gaps="bc", sharded=how)
          for name, how in [("Fixed", "whole"), ("MGDA", "layers"), ("NashMTL", "trunk")]}


def refusals(rank: int, foreign: object) -> dict[str, str]:
    """What processes that disagree are told, and what is not to be had on several."""
    x = torch.ones(ROWS, 4, dtype=torch.float64)
    every = torch.ones(ROWS, dtype=torch.bool)
    net = Net()
    shared = list(net.trunk.parameters())

    def losses() -> dict[str, torch.Tensor]:
        return losses_of(net(x), x, dict.fromkeys(TASKS, every))

    fewer = dict(list(losses().items())[:3 - rank])
    constant = losses() | ({"b": torch.tensor(1.0, dtype=torch.float64)} if rank else {})
    headless = losses() | ({"b": net.trunk(x).mean()} if rank else {})
    broken = losses() | ({"b": losses()["b"] * torch.nan} if rank else {})
    mesh = device_mesh.init_device_mesh("cpu", (PROCESSES,))
    part = nn.Parameter(distribute_tensor(torch.ones(4), mesh, [Shard(0)]))
    tries = {
        "foreign": lambda: balance.backward(losses(), shared, balance.MGDA(), group=foreign),
        "spread": lambda: balance.backward(losses(), [part], balance.MGDA()),
        "mixed": lambda: balance.backward(losses(), [part, *shared], balance.MGDA()),
        "shards": lambda: balance.backward(losses(), [part], balance.GradDrop()),
        "tasks": lambda: balance.backward(fewer, shared, balance.Equal()),
        "graph": lambda: balance.backward(fewer, shared, balance.FAMO(TASKS)),
        "constant": lambda: balance.backward(constant, shared, balance.MGDA()),
        "shared": lambda: balance.backward(losses(), shared[rank:], balance.Equal()),
        "parameters": lambda: balance.backward(headless, shared, balance.Equal()),
        "head": lambda: balance.backward(losses(), shared[:2], balance.MGDA()),
        "sketch": lambda: balance.backward(losses(), shared, balance.Sketch(balance.MGDA())),
        "representation": lambda: balance.backward(losses(), shared, balance.AtRepresentation(balance.MGDA())),
        "stop": lambda: balance.backward(broken, shared, balance.MGDA(), nan="stop"),
    }
    for option in ("find_unused_parameters", "static_graph"):
        tries[option] = partial(train, balance.MGDA, half(rank), wrapped={option: True})
    said = {}
    for name, attempt in tries.items():
        try:
            attempt()
            said[name] = "nothing"
        except (UsageError, JobError) as error:
            said[name] = str(error)
    said["explain"] = balance.explain(losses(), shared, balance.MGDA())
    return said


def half(rank: int) -> slice:
    return slice(rank * ROWS // PROCESSES, (rank + 1) * ROWS // PROCESSES)


def work(rank: int, folder: Path) -> None:
    """One of the processes: all cases one after the other, and what came out of them into a file."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=PROCESSES)
    alone = [distributed.new_group([one]) for one in range(PROCESSES)]
    found: dict[str, object] = {name: case(half(rank)) for name, case in CASES.items()}
    found["alone"] = train(balance.MGDA, half(rank), group=alone[rank])
    found["refusals"] = refusals(rank, alone[1 - rank])
    torch.save(found, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What each of the two processes found."""
    folder = tmp_path_factory.mktemp("parallel")
    environment = os.environ | {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    started = [subprocess.Popen([sys.executable, __file__, str(rank), str(folder)], env=environment,
                                stderr=subprocess.PIPE, text=True) for rank in range(PROCESSES)]
    try:
        said = [process.communicate(timeout=180)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0] * PROCESSES, "\n".join(said)
    return [torch.load(folder / f"{rank}.pt") for rank in range(PROCESSES)]


@pytest.mark.parametrize("name", CASES)
def test_ranks_end_with_the_step_of_one_process_on_all_rows(found, name):
    first, second = (one[name] for one in found)
    for ours, theirs in zip(first, second, strict=True):
        assert torch.equal(ours.nan_to_num(7), theirs.nan_to_num(7))
    whole = CASES[name](slice(None))
    torch.testing.assert_close(first, whole, equal_nan=True)
    assert any(not torch.equal(a, b) for a, b in zip(first, CASES[name](half(0)), strict=True))


def test_a_group_of_one_has_its_own_step(found):
    for rank in range(PROCESSES):
        torch.testing.assert_close(found[rank]["alone"], train(balance.MGDA, half(rank)))


@pytest.mark.parametrize(("name", "said"), [
    ("tasks", "the tasks differ between the processes"), ("graph", "the tasks with a graph differ"),
    ("constant", "the tasks with a graph differ"), ("shared", "the shared parameters differ"),
    ("parameters", "the parameters under the losses differ"), ("head", "is not among the shared ones"),
    ("sketch", "a sketch of the Gramian is asked for on several processes"),
    ("representation", "the Gramian at the representation is asked for on several processes"),
    ("find_unused_parameters", "these join all its outputs"), ("static_graph", "these join all its outputs"),
    ("foreign", "group is of other processes"), ("spread", "is spread over some processes, or not by fully_shard"),
    ("mixed", "all must be sharded over all processes alike, or none"),
    ("shards", "the balancer must need losses or the Gramian alone"),
    ("stop", "the loss of task 'b' is nan"), ("explain", "loop on each of 2 processes"),
])
def test_processes_that_disagree_are_all_told_and_none_waits(found, name, said):
    for one in found:
        assert said in one["refusals"][name]


if __name__ == "__main__":
    work(int(sys.argv[1]), Path(sys.argv[2]))
