"""A step of MMoE, PLE and Cross-Stitch beside other libraries': python benchmarks/sharing_peers.py [--rounds 20]

Forward and backward of the sum of all outputs, T = 8 tasks, K = 8 experts, on the same sizes: experts of layers
D -> 2 C -> C (MMoE), levels of one layer of width C (PLE: 8 own experts a task and 8 shared ones, two levels beside
torch-rechub, the five of its ResNet's stages beside LibMTL), five layers (Cross-Stitch). The sides run in turns, one
step each, order drawn anew in every round; printed are median and quartiles of the milliseconds of a step, and of the
ratio within a round: with one thread those of the CPU, so that the load of a busy machine does not count; with more
(--threads 2) those of the clock on the wall, which is what a user waits for, and which a quiet machine alone can tell.
torch-rechub's layers normalise batches, which can't be switched off: its column "plain" is without that, as ours is.
LibMTL's PLE runs the shared experts once for each task and has no shared gate; its Cross-Stitch has one number for each
task and stage where ours has one for each pair of tasks, channel and stage.
"products alone" are the matrix products of our own step, each on tensors of its own that lie there as the product likes
them: what no arrangement of the same arithmetic can go below.
Needs LibMTL and torch-rechub in an environment of its own: pip install --no-deps LibMTL torch-rechub.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import types
from collections.abc import Callable
from functools import partial
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from sharewise import share

T, K = 8, 8
NAMES = [f"task{at}" for at in range(T)]
SIZES = {"tiny": (64, 16, 16), "small": (256, 32, 32), "middle": (512, 64, 64)}  # rows, D, C
RESULTS = Path(__file__).parent / "results" / "sharing_peers"
Step = Callable[[Tensor], object]


def layers(*widths: int) -> list[nn.Module]:
    return [nn.Sequential(nn.Linear(low, high), nn.ReLU()) for low, high in pairwise(widths)]


def trunk(*widths: int) -> share.Trunk:
    return share.Staged(layers(*widths), torch.zeros(1, widths[0]))


def heads(size: int) -> dict[str, nn.Module]:
    return {name: nn.Linear(size, 1) for name in NAMES}


def ours(D: int, C: int) -> dict[str, nn.Module]:
    def ple(*widths: int) -> nn.Module:
        own = {name: [trunk(*widths) for _ in range(K)] for name in NAMES}
        return share.PLE([trunk(*widths) for _ in range(K)], own, heads(C))

    return {"MMoE": share.MMoE([trunk(D, 2 * C, C) for _ in range(K)], heads(C)), "PLE, 2 levels": ple(D, C, C),
            "PLE, 5 levels": ple(D, *[C] * 5),
            "Cross-Stitch": share.CrossStitch({name: trunk(D, *[C] * 5) for name in NAMES}, heads(C))}


class Stages(nn.Module):
    """An encoder with the attributes of a ResNet, by which LibMTL's architectures find its stages."""

    def __init__(self, D: int, C: int) -> None:
        super().__init__()
        self.conv1, self.relu = nn.Linear(D, C), nn.ReLU()
        self.bn1, self.maxpool = nn.Identity(), nn.Identity()
        self.layer1, self.layer2, self.layer3, self.layer4 = layers(*[C] * 5)


def libmtl(D: int, C: int) -> dict[str, nn.Module]:
    bare("LibMTL")
    from LibMTL.architecture.Cross_stitch import Cross_stitch
    from LibMTL.architecture.MMoE import MMoE
    from LibMTL.architecture.PLE import PLE

    def build(kind: type, encoder: Callable[[], nn.Module]) -> nn.Module:
        return kind(NAMES, encoder, nn.ModuleDict(heads(C)), rep_grad=False, multi_input=False,
                    device=torch.device("cpu"), img_size=[D], num_experts=[K] * (T + 1))

    return {"MMoE": build(MMoE, lambda: nn.Sequential(*layers(D, 2 * C, C))),
            "PLE, 5 levels": build(PLE, lambda: Stages(D, C)),
            "Cross-Stitch": build(Cross_stitch, lambda: Stages(D, C))}


def rechub(D: int, C: int, normalises: bool) -> dict[str, nn.Module]:
    from torch_rechub.basic.features import DenseFeature
    from torch_rechub.models.multi_task import MMOE, PLE

    features, towers, kinds = [DenseFeature("x", embed_dim=D)], [{"dims": []}] * T, ["regression"] * T

    def width(*widths: int) -> dict[str, object]:
        return {"dims": list(widths), "activation": "relu"}

    models = {"MMoE": MMOE(features, kinds, K, width(2 * C, C), towers),
              "PLE, 2 levels": PLE(features, kinds, 2, K, K, width(C), towers)}
    for model in models.values() if not normalises else ():
        for module in list(model.modules()):
            for name, part in module.named_children():
                if isinstance(part, nn.BatchNorm1d):
                    setattr(module, name, nn.Identity())
    return {name: Named(model) for name, model in models.items()}


class Named(nn.Module):
    """Reads a tensor where torch-rechub wants a dict, and gives the tasks' columns."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        return dict(zip(NAMES, self.model({"x": inputs}).unbind(1), strict=True))


def clock() -> float:
    """Seconds: of this process where it has one thread."""
    return process_time() if torch.get_num_threads() == 1 else perf_counter()


def step(model: nn.Module, inputs: Tensor) -> float:
    """Milliseconds of forward and backward."""
    for parameter in model.parameters():
        parameter.grad = None
    start = clock()
    sum(raw.square().mean() for raw in model(inputs).values()).backward()
    return 1e3 * (clock() - start)


class Products(TorchDispatchMode):
    """Notes the shapes of the matrix products that run inside, backward passes included."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[torch.Size, torch.Size]] = []

    def __torch_dispatch__(self, func: Callable, kinds: object, args: tuple = (), kwargs: dict | None = None) -> object:
        if func.overloadpacket.__name__ in ("mm", "addmm", "bmm", "baddbmm"):
            one, other = [part for part in args if isinstance(part, Tensor)][-2:]
            self.shapes.append((one.shape, other.shape))
        return func(*args, **(kwargs or {}))


def products_alone(model: nn.Module, inputs: Tensor) -> Callable[[], float]:
    """Milliseconds of the products of a step, run one after another by themselves."""
    with Products() as products:
        step(model, inputs)
    pairs = [(torch.randn(one), torch.randn(other)) for one, other in products.shapes]
    outputs = [one @ other for one, other in pairs]

    def run() -> float:
        start = clock()
        for (one, other), output in zip(pairs, outputs, strict=True):
            torch.matmul(one, other, out=output)
        return 1e3 * (clock() - start)

    return run


def measure(rounds: int, size: str, chance: random.Random) -> list[dict[str, object]]:
    rows, D, C = SIZES[size]
    torch.manual_seed(0)
    inputs = torch.randn(rows, D)
    sides = {"ours": ours(D, C), "LibMTL": libmtl(D, C), "torch-rechub": rechub(D, C, normalises=True),
             "torch-rechub, plain": rechub(D, C, normalises=False)}
    found = []
    for name in sides["ours"]:
        runs: dict[str, Callable[[], float]] = {side: partial(step, of_side[name].train(), inputs)
                                                for side, of_side in sides.items() if name in of_side}
        runs["products alone"] = products_alone(sides["ours"][name], inputs)
        times: dict[str, list[float]] = {side: [] for side in runs}
        for turn in range(rounds + 3):
            for side in chance.sample(list(runs), len(runs)):
                spent = runs[side]()
                if turn >= 3:
                    times[side].append(spent)
        for side, spent in times.items():
            ratio = np.quantile(np.divide(spent, times["ours"]), [0.25, 0.5, 0.75])
            found.append({"size": size, "model": name, "side": side, "milliseconds": quartiles(spent),
                          "ratio": [round(float(value), 2) for value in ratio]})
            print(line(found[-1]), flush=True)
    return found


def quartiles(spent: list[float]) -> list[float]:
    return [round(float(value), 2) for value in np.quantile(spent, [0.25, 0.5, 0.75])]


def line(entry: dict) -> str:
    low, middle, high = entry["milliseconds"]
    ratio = "" if entry["side"] == "ours" else "{1} ({0} to {2})".format(*entry["ratio"])
    return f"| {entry['size']} | {entry['model']} | {entry['side']} | {middle} ({low} to {high}) | {ratio} |"


def bare(name: str) -> None:
    """A package whose parts can be imported without what its own __init__ imports (LibMTL: torchvision)."""
    package = types.ModuleType(name)
    package.__path__ = [str(metadata.distribution(name).locate_file(name))]
    sys.modules[name] = package


def main() -> None:
    """The table, and its files under results/; or one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--threads", type=int, default=1, help="1: CPU time; more: time on the wall")
    parser.add_argument("--keep", action="store_true", help="write results/sharing_peers.json and .md, with more than "
                        "one thread results/sharing_peers_threads.json and .md")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    try:
        versions = {name: metadata.version(name) for name in ("LibMTL", "torch-rechub", "torch")}
    except metadata.PackageNotFoundError as missing:
        print(f"{missing.name} is not installed: pip install --no-deps LibMTL torch-rechub, then again.")
        return
    measured = "CPU ms a step" if arguments.threads == 1 else "ms a step"
    head = [f"| size | model | side | {measured} | their time / ours |", "|---|---|---|--:|--:|"]
    print("\n".join(head))
    load = os.getloadavg()[0]
    chance = random.Random(0)
    found = [entry for size in arguments.sizes.split(",") for entry in measure(arguments.rounds, size, chance)]
    state = {"versions": versions, "rounds": arguments.rounds, "threads": arguments.threads, "load_before": load,
             "load_after": os.getloadavg()[0]}
    print(state)
    if arguments.keep:
        keep(state, found, head)


def keep(state: dict, found: list[dict], head: list[str]) -> None:
    """The JSON and the Markdown file."""
    kept = RESULTS if state["threads"] == 1 else RESULTS.with_name("sharing_peers_threads")
    kept.with_suffix(".json").write_text(json.dumps({**state, "found": found}, indent=1) + "\n")
    sizes = "; ".join(f"{name}: {N} rows, D = {D}, C = {C}" for name, (N, D, C) in SIZES.items())
    versions = ", ".join(f"{name} {version}" for name, version in state["versions"].items())
    load = f"Load of the machine {state['load_before']:.1f} before, {state['load_after']:.1f} after."
    time = "CPU time" if state["threads"] == 1 else "time on the wall"
    about = (f"`python benchmarks/sharing_peers.py --threads {state['threads']} --keep`: forward and backward, "
             f"{state['rounds']} rounds in turns, {time}; median and quartiles. {versions}. {load} T = {T}, K = {K}; "
             f"{sizes}. What is compared, and what is not the same, stands at the top of the script.")
    text = ["# A training step beside other libraries", "", about, "", *head, *map(line, found), ""]
    kept.with_suffix(".md").write_text("\n".join(text))


if __name__ == "__main__":
    main()
