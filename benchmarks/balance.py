"""What a step with a balancer costs, over the step with the plain sum of losses: python benchmarks/balance.py

    python benchmarks/balance.py                                 all configurations
    python benchmarks/balance.py --only mlp-512-8 --rounds 9     one of them
    python benchmarks/balance.py --ways UPGrad TorchJD           these ways alone, and the plain sum
    python benchmarks/balance.py --list                          names of configurations

Configurations: `mlp-B-T`, a trunk of 4 layers of width 1024, batch B, T tasks; `rows-B-T`, the same where each row
carries one task; `narrow-B-T`, of width 128; `conv-B-T`, a small ResNet on 3 x 64 x 64; `basic-B-T`, `bottleneck-B-T`,
`vgg-B-T` and `depthwise-B-T`, other convolutional trunks on the same (convolutional.py); `transformer-B-T`, 4 layers, d
= 256, 64 positions. Every way takes whole steps (forward, backward, gradients set to None before), in a new order in
each round, on one thread. A ratio is that of CPU seconds to the plain step of the same round; printed are its median
and quartiles, and the peak of allocated memory above the plain step's, by PyTorch's profiler. All but the weightings
that need losses only and LibMTL's row use UPGrad, the plain loop with our solver. TorchJD and LibMTL are measured where
they can be imported.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from time import process_time

import numpy as np
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from convolutional import CONVOLUTIONAL, Mean
from peer_libmtl import host, weightings
from sharewise import balance
from sharewise.balance.engine.batched import Batched
from sharewise.balance.engine.border import Border

NAMES = ("mlp-512-2", "mlp-512-8", "mlp-512-40", "mlp-64-8", "mlp-64-40", "rows-512-8", "rows-512-40", "narrow-64-8",
         "conv-32-3", "conv-32-9", "basic-32-3", "bottleneck-32-3", "vgg-32-3", "depthwise-32-3", "transformer-16-4",
         "transformer-16-8")


class Job:
    """A trunk, a head a task, one batch, and the losses of a step."""

    def __init__(self, name: str) -> None:
        kind, batch, tasks = name.split("-")
        rows, self.tasks, self.kind = int(batch), int(tasks), kind
        torch.manual_seed(0)
        if kind in CONVOLUTIONAL:
            build, width = CONVOLUTIONAL[kind]
            self.trunk = build()
            self.inputs = torch.randn(rows, 3, 64, 64)
        elif kind == "transformer":
            layer = nn.TransformerEncoderLayer(256, 4, 512, dropout=0.0, batch_first=True)
            self.trunk, width = nn.Sequential(nn.TransformerEncoder(layer, 4, enable_nested_tensor=False), Mean()), 256
            self.inputs = torch.randn(rows, 64, 256)
        else:
            width = 128 if kind == "narrow" else 1024
            layers = [(nn.Linear(width, width), nn.ReLU()) for _ in range(4)]
            self.trunk = nn.Sequential(*(part for pair in layers for part in pair))
            self.inputs = torch.randn(rows, width)
        self.heads = nn.ModuleList(nn.Linear(width, 1) for _ in range(self.tasks))
        self.targets = torch.randn(rows, self.tasks)
        self.shared = list(self.trunk.parameters())

    def forward(self) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Features and losses, with all gradients at None."""
        for parameter in (*self.shared, *self.heads.parameters()):
            parameter.grad = None
        features = self.trunk(self.inputs)
        picks = [slice(at, None, self.tasks) if self.kind == "rows" else slice(None) for at in range(self.tasks)]
        return features, {str(at): (head(features[pick])[:, 0] - self.targets[pick, at]).square().mean()
                          for at, (head, pick) in enumerate(zip(self.heads, picks, strict=True))}


def plain(job: Job) -> None:
    """The step that all others are compared with."""
    sum(job.forward()[1].values()).backward()


def ours(job: Job, balancer: balance.Balancer) -> None:
    """What a user writes."""
    balance.backward(job.forward()[1], job.shared, balancer)


def forced(job: Job, route: str) -> None:
    """UPGrad by one route, whatever the engine would choose."""
    needs = "jacobian" if route == "loop" else "gramian"
    signal = balance.Signal(job.forward()[1], job.shared, needs=needs, keeps_graph=False)
    engine = signal.engine
    if route == "batched":
        cost, stations, direct = engine.choice.cost, list(engine.choice.stations), list(engine.choice.direct)
        engine.route = Batched(Border(engine.cut, False, cost.is_kept), stations, direct, cost.is_kept)
    balance.UPGrad().update(signal).apply(signal, "plain")


def plain_loop(job: Job) -> None:
    """What one writes without a library: a backward pass a task, rows stacked, combined."""
    losses = job.forward()[1]
    rows = []
    for at, (loss, head) in enumerate(zip(losses.values(), job.heads, strict=True)):
        own = list(head.parameters())
        parts = torch.autograd.grad(loss, [*job.shared, *own], retain_graph=at + 1 < job.tasks)
        rows.append(torch.cat([part.flatten() for part in parts[:len(job.shared)]]))
        for parameter, part in zip(own, parts[len(job.shared):], strict=True):
            parameter.grad = part
    jacobian = torch.stack(rows)
    noise = len(rows) * torch.finfo(jacobian.dtype).eps
    weights = balance.UPGrad().weights((jacobian @ jacobian.T).double().numpy(), noise)
    total = torch.tensor(weights, dtype=jacobian.dtype) @ jacobian
    for parameter, part in zip(job.shared, total.split([p.numel() for p in job.shared]), strict=True):
        parameter.grad = part.view(parameter.shape).clone()


def torchjd_jacobian(job: Job, chunk: int | None) -> None:
    """TorchJD's ``mtl_backward``; with ``chunk`` 1 one task at a time."""
    from torchjd.aggregation import UPGrad
    from torchjd.autojac import jac_to_grad, mtl_backward

    features, losses = job.forward()
    mtl_backward(list(losses.values()), features, shared_params=job.shared, parallel_chunk_size=chunk)
    jac_to_grad(job.shared, UPGrad())


def torchjd_gramian(job: Job) -> None:
    """TorchJD's engine for Gramians (its hooks slow the forward pass of others, so it has a job of its own)."""
    losses = torch.stack(list(job.forward()[1].values()))
    losses.backward(job.weighting(job.gram_engine.compute_gramian(losses)))


def libmtl(job: Job, method: nn.Module) -> None:
    """LibMTL's PCGrad, which it runs for any number of tasks."""
    method.backward(torch.stack(list(job.forward()[1].values())))


def ways_for(job: Job, name: str) -> dict[str, Callable[[], None]]:
    """All ways to take a step that this configuration has."""
    tasks = [str(at) for at in range(job.tasks)]
    ways = {"plain sum": partial(plain, job), "Equal": partial(ours, job, balance.Equal()),
            "FAMO": partial(ours, job, balance.FAMO(tasks)), "UPGrad": partial(ours, job, balance.UPGrad()),
            "UPGrad, loop": partial(forced, job, "loop")}
    signal = balance.Signal(job.forward()[1], job.shared)
    if signal.engine.choice.cost is not None:
        ways["UPGrad, batched"] = partial(forced, job, "batched")
    ways["plain loop"] = partial(plain_loop, job)
    if weightings() is None:
        print("LibMTL is not installed here, so it is left out.")
    else:
        ways["LibMTL, PCGrad"] = partial(libmtl, job, host("PCGrad", job.shared, job.tasks))
    if find_spec("torchjd") is None:
        print("TorchJD is not installed here, so it is left out.")
        return ways
    from torchjd.aggregation import UPGradWeighting
    from torchjd.autogram import Engine

    other = Job(name)
    other.gram_engine, other.weighting = Engine(other.trunk, batch_dim=None), UPGradWeighting()
    return ways | {"TorchJD": partial(torchjd_jacobian, job, None), "TorchJD, loop": partial(torchjd_jacobian, job, 1),
                   "TorchJD, autogram": partial(torchjd_gramian, other)}


def peak(job: Job, way: Callable[[], None]) -> float:
    """Most MiB allocated at a time in a step that starts without gradients, above what was there before."""
    job.forward()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        way()
    events = ((event.start_ns(), event.nbytes()) for event in recorded.profiler.kineto_results.events()
              if event.name() == "[memory]")
    return max(0, np.cumsum([size for _, size in sorted(events)]).max()) / 2**20


def measure(name: str, rounds: int, memory: bool, only: list[str]) -> list[str]:
    """A line of the table for each way."""
    job = Job(name)
    ways = {way: step for way, step in ways_for(job, name).items() if not only or way in ("plain sum", *only)}
    failed = {}
    for way, step in list(ways.items()):
        try:
            step()
        except Exception as error:  # what another library can't do is a result too
            if not way.startswith(("TorchJD", "LibMTL")):
                raise
            failed[way] = type(error).__name__
            del ways[way]
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way in np.random.default_rng(turn).permutation(list(ways)):  # what a way leaves behind hits others in turn
            began = process_time()
            ways[way]()
            seconds[way].append(process_time() - began)
    base = np.array(seconds["plain sum"])
    peaks = {way: peak(job, step) for way, step in ways.items()} if memory else {}
    lines = [f"### {name}", f"Plain step {np.median(base) * 1e3:.1f} ms, {rounds} rounds. {route(job)}", "",
             "| way | median | quartiles | extra MiB |", "|---|--:|--:|--:|"]
    for way, times in seconds.items():
        low, middle, high = np.percentile(np.array(times) / base, (25, 50, 75))
        extra = f"{peaks[way] - peaks['plain sum']:.0f}" if memory else ""
        lines.append(f"| {way} | {middle:.2f} | {low:.2f} to {high:.2f} | {extra} |")
    return lines + [f"| {way} | fails: {error} | | |" for way, error in failed.items()]


def route(job: Job) -> str:
    """What the engine says of its choice."""
    signal = balance.Signal(job.forward()[1], job.shared)
    return f"Route of UPGrad, {signal.gramian.shape[0]} tasks: {signal.engine.explain()}"


def main() -> None:
    """Measure, and print a table a configuration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=NAMES, metavar="NAME")
    parser.add_argument("--ways", nargs="+", default=[], metavar="WAY")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-memory", action="store_true", help="leave out memory, one more step a way")
    parser.add_argument("--list", action="store_true")
    choice = parser.parse_args()
    if choice.list:
        print("\n".join(NAMES))
        return
    torch.set_num_threads(1)
    for name in choice.only:
        print("\n".join(measure(name, choice.rounds, not choice.no_memory, choice.ways)), "\n", flush=True)


if __name__ == "__main__":
    main()
