"""Convolutions of one position with a stride, in the loop, against one plain autograd pass a task."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from sharewise import balance
from sharewise.balance.engine.cut import Cut
from sharewise.balance.engine.loop import Loop
from sharewise.balance.engine.strided import Strided, find_strided


class Residual(nn.Module):
    """Two ways from one input: a convolution of 3 x 3 with what follows it, and one of 1 x 1 with a stride."""

    def __init__(self, around_first: bool = False, normal: bool = False, more: bool = False) -> None:
        super().__init__()
        self.before = nn.Conv2d(2, 4, 3, padding=1)
        self.inside = nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU(),
                                    nn.Conv2d(6, 6, 3, padding=1, groups=2), nn.BatchNorm2d(6))
        self.around = nn.Sequential(nn.Conv2d(4, 6, 1, stride=2, bias=not normal))
        if normal:
            self.around.append(nn.BatchNorm2d(6))
        self.last = nn.Conv2d(4, 6, 1, stride=2) if more else None
        self.around_first = around_first

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.before(x))
        ways = [self.around(x), self.inside(x)] if self.around_first else [self.inside(x), self.around(x)]
        if self.last is not None:
            ways.append(self.last(x) + x[..., ::2, ::2].mean())
        return torch.relu(sum(ways))


def losses_of(features: Tensor) -> list[Tensor]:
    columns = features.flatten(1)
    return [columns.square().mean(), columns[:, ::2].exp().mean(), columns.sin().sum() / 7]


def compare(net: nn.Module, inputs: Tensor, monkeypatch: pytest.MonkeyPatch, tolerance: float = 1e-12) -> int:
    """How many backward passes of a convolution are taken over, once all gradients are as they must be."""
    shared = [parameter for parameter in net.parameters() if parameter.requires_grad]
    losses = losses_of(net(inputs))
    expected = [torch.autograd.grad(loss, shared, retain_graph=True, materialize_grads=True, allow_unused=True)
                for loss in losses]
    count = []
    inner = Strided._go_back
    with monkeypatch.context() as patch:
        patch.setattr(Strided, "_go_back", lambda *args: count.append(1) or inner(*args))
        jacobian = Loop(Cut(losses, shared), keeps_graph=False).jacobian
    torch.testing.assert_close(jacobian, torch.stack([torch.cat([part.flatten() for part in row]) for row in expected]),
                               rtol=tolerance, atol=tolerance * 100)
    return len(count)


def doubles(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("normal", [False, True])
@pytest.mark.parametrize("around_first", [False, True])
def test_a_residual_block_has_the_gradients_of_autograd(around_first, normal, more, monkeypatch) -> None:
    torch.manual_seed(0)
    net = Residual(around_first, normal, more).double()
    assert compare(net, doubles(3, 2, 7, 8), monkeypatch) == (6 if more else 3)
    net.eval()
    assert compare(net, doubles(2, 2, 4, 4), monkeypatch) == (6 if more else 3)
    assert compare(net.float(), torch.randn(2, 2, 6, 5), monkeypatch, 2e-5) == (6 if more else 3)


LAYERS = [(nn.Conv1d(2, 3, 1, stride=2), (4, 2, 9)), (nn.Conv2d(2, 3, 1, stride=(2, 1)), (4, 2, 5, 6)),
          (nn.Conv2d(2, 3, 1, stride=(3, 2), bias=False), (1, 2, 7, 8)),
          (nn.Conv3d(2, 3, 1, stride=2), (2, 2, 3, 4, 5)),
          (nn.Conv2d(2, 3, 1, stride=2, dilation=3), (2, 2, 5, 5)), (nn.Conv2d(2, 3, 1, stride=9), (2, 2, 4, 4))]


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
@pytest.mark.parametrize("scaled", [False, True])
def test_any_stride_in_any_number_of_dimensions(layer, shape, scaled, monkeypatch) -> None:
    torch.manual_seed(0)
    norm = {3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}[len(shape)](2)
    net = nn.Sequential(norm, layer) if scaled else nn.Sequential(layer)
    assert compare(net.double(), doubles(*shape), monkeypatch) == 3


OTHERS = [nn.Conv2d(2, 2, 1, stride=2, groups=2), nn.Conv2d(2, 3, 1, stride=2, padding=1), nn.Conv2d(2, 3, 2, stride=2),
          nn.ConvTranspose2d(2, 3, 1, stride=2), nn.Conv2d(2, 3, 1)]


@pytest.mark.parametrize("layer", OTHERS)
def test_other_convolutions_are_left_to_autograd(layer, monkeypatch) -> None:
    assert compare(nn.Sequential(nn.BatchNorm2d(2), layer).double(), doubles(3, 2, 5, 6), monkeypatch) == 0


def test_other_layouts_digits_and_devices_are_left_to_autograd(monkeypatch) -> None:
    net = nn.Conv2d(3, 3, 1, stride=2).double()
    assert compare(net, doubles(2, 3, 4, 4).to(memory_format=torch.channels_last), monkeypatch) == 0
    for kind in ({"dtype": torch.bfloat16}, {"device": "meta"}):
        net = nn.Conv2d(3, 3, 1, stride=2).to(**kind)
        assert find_strided(Cut(losses_of(net(torch.ones(2, 3, 4, 4, **kind))), list(net.parameters()))) == []


def test_what_recomputes_or_fetches_its_tensors_is_left_to_autograd(monkeypatch) -> None:
    net, inputs = Residual().double(), doubles(2, 2, 6, 6).requires_grad_()

    class Checkpointed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(net, x, use_reentrant=False)

    class Offloaded(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            with torch.autograd.graph.save_on_cpu():
                return net(x)

    for outer in (Checkpointed(), Offloaded()):
        outer.net = net.eval()
        assert compare(outer, inputs, monkeypatch) == 0


def test_the_gradient_in_the_positions_waits_for_that_of_the_other_convolution() -> None:
    def found(net: nn.Module) -> list[bool]:
        losses = losses_of(net.double()(doubles(2, 2, 6, 6)))
        return [one.other is not None for one in find_strided(Cut(losses, list(net.parameters())))]

    assert found(Residual()) == found(Residual(normal=True)) == [True]
    assert found(nn.Sequential(nn.Conv2d(2, 4, 1), nn.Conv2d(4, 4, 1, stride=2))) == [False]


class Lost(torch.autograd.Function):
    """Gives no gradient for the task whose own is negative."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, flow):
        return flow if flow.sum() > 0 else None


def test_nothing_is_lost_where_the_other_convolution_has_no_gradient(monkeypatch) -> None:
    net = Residual().double()
    last = net.inside

    class Wrapped(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Lost.apply(last(x))

    net.inside = Wrapped()
    net.last_of_inside = last
    shared = list(net.parameters())
    features = net(doubles(2, 2, 6, 6))
    losses = [features.sum(), -features.sum()]
    expected = [torch.autograd.grad(loss, shared, retain_graph=True, allow_unused=True, materialize_grads=True)
                for loss in losses]
    jacobian = Loop(Cut(losses, shared)).jacobian
    torch.testing.assert_close(jacobian, torch.stack([torch.cat([part.flatten() for part in row]) for row in expected]))
    assert all(len(row.nonzero()) for row in jacobian)


def test_hooks_see_the_gradients_that_they_always_see() -> None:
    torch.manual_seed(0)
    net, inputs = Residual().double(), doubles(2, 2, 6, 6)

    def losses(seen: list[Tensor]) -> list[Tensor]:
        def see(change: float) -> Callable[[Tensor], Tensor]:
            return lambda flow: seen.append(flow.clone()) or flow * change

        x = torch.relu(net.before(inputs))
        around = net.around(x)
        inside = net.inside(x)
        for tensor, change in ((x, 1.5), (around, 0.5), (inside, 2.0)):
            tensor.register_hook(see(change))
        around.grad_fn.register_hook(lambda _, flows: seen.append(flows[0] * 1))
        return losses_of(inside + around)

    shared, alone, together = list(net.parameters()), [], []
    weight = net.around[0].weight
    handle = weight.register_hook(lambda gradient: gradient * 3)
    expected = [torch.cat([part.flatten() for part in torch.autograd.grad(loss, shared, retain_graph=True)])
                for loss in losses(alone)]
    torch.testing.assert_close(Loop(Cut(losses(together), shared)).jacobian, torch.stack(expected))
    handle.remove()
    assert len(alone) == len(together) == 12
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("frozen", ["before", "inside", "around"])
def test_frozen_layers_and_inputs_without_gradient(frozen, monkeypatch) -> None:
    net = Residual().double()
    getattr(net, frozen).requires_grad_(False)
    compare(net, doubles(2, 2, 6, 6), monkeypatch)


def test_a_task_that_takes_one_way_alone_and_one_that_takes_none() -> None:
    net, inputs = Residual().double(), doubles(2, 2, 6, 6)
    x = torch.relu(net.before(inputs))
    inside, around = net.inside(x), net.around(x)
    losses = [inside.square().mean(), around.exp().mean(), (inside * around).mean(), x.square().mean()]
    shared = list(net.parameters())
    expected = [torch.autograd.grad(loss, shared, retain_graph=True, allow_unused=True, materialize_grads=True)
                for loss in losses]
    torch.testing.assert_close(Loop(Cut(losses, shared)).jacobian,
                               torch.stack([torch.cat([part.flatten() for part in row]) for row in expected]))


def test_a_step_repeats_itself_to_the_bit_and_leaves_the_graph_as_it_was() -> None:
    torch.manual_seed(0)
    net, inputs, steps = Residual().eval(), torch.randn(4, 2, 16, 16), []
    shared = list(net.parameters())
    for _ in range(2):
        losses = losses_of(net(inputs))
        steps.append(Loop(Cut(losses, shared)).jacobian)
        balance.backward(dict(zip("abc", losses, strict=True)), shared, balance.Equal())
    torch.testing.assert_close(torch.cat([parameter.grad.flatten() for parameter in shared]),
                               (steps[0] + steps[1]).sum(0))
    assert torch.equal(*steps)
