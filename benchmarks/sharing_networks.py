"""Every exported way of sharing over the trunk of a set, at a width of its own.

An architecture's own options are the defaults of the library; experts: 4; CGC and PLE: one for each task and one
shared; low rank: a basis for every three tasks, two at least. Branching: all tasks share the first stage, and from the
second on they are as many groups as low rank has bases, by the correlation of their training targets. Learning to
branch: as many nodes a stage as tasks, four at most; its choices learn five times faster than the weights and do not
decay. Adapters and LoRA need a trained trunk: the first half of their steps trains hard sharing, the second half what
they add.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from torch import Tensor, nn

from sharewise import share
from sharewise.base.catalogue import classes
from sharing_parts import EXPERTS, Parts
from sharing_sets import Problem


class Network(nn.Module):
    """What all tasks embed alike, and a way of sharing over it."""

    def __init__(self, bottom: nn.Module, model: share.SharedModel) -> None:
        super().__init__()
        self.bottom, self.model = bottom, model

    def forward(self, inputs: Tensor) -> Mapping[str, Tensor]:
        return self.model(self.bottom(inputs))

    def advance(self, progress: float) -> None:
        """What a way of sharing does before a step."""
        if isinstance(self.model, share.LearningToBranch):
            self.model.advance(progress)

    def added(self, raws: Mapping[str, Tensor]) -> Tensor:
        """What a way of sharing adds to the sum of the losses."""
        penalty = self.model.penalty()
        return penalty + self.model.calibration(raws) if isinstance(self.model, share.AITM) else penalty

    def choices(self) -> Iterator[nn.Parameter]:
        """Parameters that say who reads whom."""
        if isinstance(self.model, share.LearningToBranch):
            yield from self.model.choices.parameters()
            yield from self.model.head_choices.parameters()


Build = Callable[[Parts], share.SharedModel]


def _hard(parts: Parts) -> share.HardSharing:
    return share.HardSharing(parts.trunk(), parts.heads())


BUILD: dict[str, Build] = {
    "Separate": lambda parts: share.Separate({name: nn.Sequential(parts.problem.bottom(), parts.trunk())
                                              for name in parts.tasks}, parts.heads()),
    "HardSharing": _hard,
    "SoftSharing": lambda parts: share.SoftSharing(parts.trunks(), parts.heads()),
    "TraceNorm": lambda parts: share.TraceNorm(parts.trunks(), parts.heads()),
    "CrossStitch": lambda parts: share.CrossStitch(parts.trunks(), parts.heads()),
    "Sluice": lambda parts: share.Sluice(parts.trunks(), parts.heads()),
    "NDDR": lambda parts: share.NDDR(parts.trunks(), parts.heads()),
    "MTAN": lambda parts: share.MTAN(parts.trunk(), parts.heads()),
    "FiLM": lambda parts: share.FiLM(parts.trunk(), parts.heads()),
    "LowRank": lambda parts: share.LowRank(parts.experts(parts.groups), parts.heads()),
    "DMTRL": lambda parts: share.DMTRL(parts.trunks(), parts.heads()),
    "OMoE": lambda parts: share.OMoE(parts.experts(), parts.heads()),
    "MMoE": lambda parts: share.MMoE(parts.experts(), parts.heads()),
    "DSelectK": lambda parts: share.DSelectK(parts.experts(), parts.heads()),
    "CGC": lambda parts: share.CGC(parts.experts(1), parts.own_experts(), parts.heads()),
    "PLE": lambda parts: share.PLE(parts.experts(1), parts.own_experts(), parts.heads()),
    "BottleneckAdapters": _hard,
    "LoRA": _hard,
    "TaskNormalization": lambda parts: share.TaskNormalization(parts.trunk(), parts.heads()),
    "TaskTokenDecoder": lambda parts: share.TaskTokenDecoder(parts.trunk(), parts.vector_heads()),
    "Branching": lambda parts: share.Branching(parts.trunks(), parts.heads(), parts.tree()),
    "LearningToBranch": lambda parts: share.LearningToBranch(parts.experts(min(EXPERTS, len(parts.tasks))),
                                                             parts.heads()),
    "ESMM": lambda parts: share.ESMM(parts.trunk(), parts.heads(), parts.problem.funnel),
    "AITM": lambda parts: share.AITM(parts.trunks(), parts.heads(), funnel=parts.problem.funnel),
}
ADAPT: dict[str, Callable[..., share.SharedModel]] = {"BottleneckAdapters": share.BottleneckAdapters,
                                                      "LoRA": share.LoRA}


def exported() -> set[str]:
    """The names of all ways of sharing that the library exports."""
    return set(classes("share", share.SharedModel))


def build(name: str, problem: Problem, widths: Sequence[int]) -> Network:
    """What is trained first."""
    bottom = nn.Identity() if name == "Separate" else problem.bottom()
    return Network(bottom, BUILD[name](Parts(problem, tuple(widths))))


def adapt(name: str, network: Network) -> Network:
    """What is trained then, where the architecture stands on a trained trunk; else the network itself."""
    if name not in ADAPT:
        return network
    hard = network.model
    heads = {task: hard.heads.of(task) for task in hard.tasks}
    return Network(network.bottom.requires_grad_(False), ADAPT[name](hard.trunk, heads))


def whole(name: str, problem: Problem, widths: Sequence[int]) -> Network:
    """The network as it serves."""
    return adapt(name, build(name, problem, widths))


def count(network: nn.Module, tables: bool = False) -> int:
    """Parameters without the tables of embedded ids, or those of the tables alone."""
    in_tables = {id(weight) for module in network.modules() if isinstance(module, nn.Embedding)
                 for weight in module.parameters()}
    return sum(weight.numel() for weight in network.parameters() if (id(weight) in in_tables) == tables)


def cost(name: str, problem: Problem, widths: Sequence[int]) -> dict[str, int]:
    """Parameters, those in tables of ids, and the multiply-adds of all tasks for one row of a batch."""
    network = whole(name, problem, widths)
    rows = network.bottom(problem.train.inputs[:problem.effort.batch])
    return {"parameters": count(network), "table_parameters": count(network, tables=True),
            "multiply_adds": round(share.describe(network.model, rows).multiply_adds / len(rows))}
