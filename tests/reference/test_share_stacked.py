"""Modules stacked: the numbers and slopes of one by one, one product a layer, and one by one where they must be."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from sharewise import share
from sharewise.share.stacked import run_beside, run_each


class Products(TorchDispatchMode):
    """Counts products of matrices."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        self.found[name] += name in ("mm", "addmm", "bmm", "baddbmm")
        return func(*args, **(kwargs or {}))


BUILDS = {
    "trunk": lambda: share.MLP(4, [6, 5]), "no bias": lambda: nn.Sequential(nn.Linear(4, 5, bias=False), nn.Tanh()),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(0.2)), nn.Linear(3, 2), nn.GELU())}


@pytest.mark.parametrize("build", BUILDS.values(), ids=list(BUILDS))
@pytest.mark.parametrize("shape", [(7, 4), (2, 7, 4)])
def test_numbers_and_slopes_are_those_of_one_by_one(build, shape):
    torch.manual_seed(0)
    modules = [build().double() for _ in range(3)]
    inputs = torch.randn(3, *shape, dtype=torch.float64, requires_grad=True)
    parameters = [inputs, *(p for module in modules for p in module.parameters())]
    for found, wanted in ((run_beside(modules, inputs), [module(x) for module, x in zip(modules, inputs, strict=True)]),
                          (run_each(modules, inputs[0]), [module(inputs[0]) for module in modules])):
        torch.testing.assert_close(found, torch.stack(wanted))
        weigh = torch.randn_like(found)
        slopes = [torch.autograd.grad((given * weigh).sum(), parameters) for given in (found, torch.stack(wanted))]
        for one, other in zip(*slopes, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("experts", [2, 8])
def test_products_are_one_a_layer_however_many_experts_there_are(experts):
    model = share.MMoE([share.MLP(4, [6, 5]) for _ in range(experts)], {"a": nn.Identity()})
    with Products() as products:
        model(torch.randn(7, 4))
    assert sum(products.found.values()) == 2 + 1 + 1  # two layers, the gate, and what it weighs


def test_cross_stitch_runs_all_networks_in_one_product_a_layer_and_a_unit():
    names = [str(at) for at in range(6)]
    trunks = {name: share.MLP(4, [5, 5, 5]) for name in names}
    model = share.CrossStitch(trunks, {name: nn.Identity() for name in names})
    with Products() as products:
        model(torch.randn(7, 4))
    assert sum(products.found.values()) == 3 + 2  # three layers, and two units; the last unit weighs task by task


@pytest.mark.parametrize("shape", [(4,), (0, 4)])
def test_a_single_row_without_an_axis_of_rows_and_no_row_at_all_work_too(shape):
    model = share.MMoE([share.MLP(4, [5]) for _ in range(3)], {"a": nn.Linear(5, 1)})
    assert model(torch.zeros(shape))["a"].shape == (*shape[:-1], 1)


def test_hooks_are_called():
    modules, seen = [share.MLP(4, [5]) for _ in range(3)], []
    modules[1].stages[0][0].register_forward_hook(lambda *_: seen.append("here"))
    run_each(modules, torch.randn(7, 4))
    assert seen == ["here"]


def test_modules_that_differ_run_one_by_one():
    torch.manual_seed(0)
    x = torch.randn(7, 4)
    for modules in ([nn.Sequential(nn.Linear(4, 5), nn.ReLU()), nn.Sequential(nn.Linear(4, 5), nn.Tanh())],
                    [nn.Linear(4, 5), nn.Linear(4, 5, bias=False)],
                    [nn.Sequential(nn.Linear(4, 5), nn.LeakyReLU(slope)) for slope in (0.1, 0.2)],
                    [nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5)) for _ in range(2)],
                    [nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.5)).train(mode) for mode in (True, False)]):
        torch.manual_seed(1)
        found = run_each(modules, x)
        torch.manual_seed(1)
        assert torch.equal(found, torch.stack([module(x) for module in modules]))


def test_each_module_drops_out_for_itself():
    torch.manual_seed(0)
    modules = [share.MLP(4, [50], dropout=0.5) for _ in range(2)]
    modules[1].load_state_dict(modules[0].state_dict())
    one, other = run_each(modules, torch.randn(7, 4)) == 0
    assert not torch.equal(one, other) and 0.3 < one.float().mean() < 0.7
