"""Sluice: the identity is separate networks; one forward pass written anew; the penalty by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sharewise import share
from sharewise.base import UsageError


def parts(names, make_trunk):
    torch.manual_seed(0)
    return {name: make_trunk() for name in names}, {name: nn.Identity() for name in names}


def test_with_the_identity_and_the_last_stage_alone_it_is_separate_networks():
    trunks, heads = parts("abc", lambda: share.ResNet(2, [4, 4], stride=1))
    image = torch.randn(2, 2, 5, 5)
    sluice, apart = share.Sluice(trunks, heads, own=1.0)(image), share.Separate(trunks, heads)(image)
    for name in "abc":
        torch.testing.assert_close(sluice[name], apart[name])


def test_one_forward_pass_written_anew():
    trunks, heads = parts("ab", lambda: share.MLP(3, [6, 6, 6]))
    model = share.Sluice(trunks, heads, subspaces=3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    x = torch.randn(4, 3)
    now, final = {"a": x, "b": x}, {"a": 0.0, "b": 0.0}
    for stage, unit in enumerate(model.networks.units):
        alpha = torch.cat([row.weight for row in unit])  # [task and subspace to, from]
        given = torch.cat([trunks[name].stages[stage](now[name]).view(4, 3, 2) for name in "ab"], dim=1)
        mixed = torch.einsum("ij,njc->nic", alpha, given)
        now = {"a": mixed[:, :3].reshape(4, 6), "b": mixed[:, 3:].reshape(4, 6)}
        final = {name: final[name] + model.stage_weights.of(name)[0][stage] * now[name] for name in "ab"}
    for name, raw in model(x).items():
        torch.testing.assert_close(raw, final[name])


def test_the_penalty_is_the_overlap_of_the_weights_that_write_the_subspaces():
    layer = nn.Linear(2, 2)
    layer.weight = nn.Parameter(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))  # (1 * 3 + 2 * 4)^2 = 121
    trunk = share.Staged([layer], torch.zeros(1, 2))
    model = share.Sluice({"a": trunk}, {"a": nn.Identity()}, strength=0.5)
    torch.testing.assert_close(model.penalty(), torch.tensor(60.5))
    layer.weight = nn.Parameter(torch.tensor([[1.0, 0.0], [0.0, 4.0]]))
    assert model.penalty() == 0


def test_stages_of_several_shapes_and_subspaces_that_do_not_fit_are_refused():
    trunks, heads = parts("ab", lambda: share.MLP(3, [6, 4]))
    with pytest.raises(UsageError, match="one shape"):
        share.Sluice(trunks, heads)
    trunks, heads = parts("ab", lambda: share.MLP(3, [6, 6]))
    with pytest.raises(UsageError, match="must divide"):
        share.Sluice(trunks, heads, subspaces=4)


def test_maps_and_sequences_of_several_lengths_are_refused_when_it_is_built():
    def shorter() -> share.Trunk:
        half = nn.Sequential(nn.Linear(4, 4), nn.AdaptiveAvgPool2d((4, 4)))
        return share.Staged([nn.Linear(4, 4), half], torch.zeros(1, 8, 4))

    for make, shown in ((lambda: share.ResNet(2, [4, 4]), r"\[4, 16, 16\], \[4, 8, 8\]"),
                        (shorter, r"\[16, 4\], \[4, 4\]")):
        with pytest.raises(UsageError, match=f"stages that give {shown} for one input; .* stride=1"):
            share.Sluice(*parts("ab", make))


def test_lengths_that_only_some_inputs_show_are_refused_when_it_runs():
    trunks, heads = parts("ab", Picky)
    model = share.Sluice(trunks, heads)
    with pytest.raises(UsageError, match=r"stages that give \[6, 4\], \[3, 4\] for one input"):
        model(torch.zeros(2, 6, 4))


class Picky(share.Trunk):
    """Reads sequences of six alone, of which its second stage gives every other token."""

    class Every(nn.Module):
        def __init__(self, step: int) -> None:
            super().__init__()
            self.step, self.linear = step, nn.Linear(4, 4)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.linear(tokens.view(-1, 6, 4)[:, ::self.step])

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([self.Every(1), self.Every(2)])

    @property
    def features(self) -> tuple[share.Features, ...]:
        return (share.Features(4, 1),) * 3
