"""Low rank: one set is hard sharing, T sets are separate networks, full rank is separate linear heads."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sharewise import share
from sharewise.base import UsageError
from trunks import CASES


@pytest.mark.parametrize(("make", "shape"), CASES, ids=["rows", "maps", "tokens"])
def test_one_set_is_hard_sharing_and_a_set_each_is_separate_networks_to_the_bit(make, shape):
    torch.manual_seed(0)
    heads, trunks, inputs = {name: nn.Identity() for name in "ab"}, [make(), make()], torch.randn(*shape)
    one, hard = share.LowRank(trunks[:1], heads)(inputs), share.HardSharing(trunks[0], heads)(inputs)
    each = share.LowRank(trunks, heads)(inputs)
    apart = share.Separate(dict(zip("ab", trunks, strict=True)), heads)(inputs)
    for name in heads:
        assert torch.equal(one[name], hard[name])
        assert torch.equal(each[name], apart[name])


def test_linear_tasks_have_a_weight_matrix_of_rank_k():
    torch.manual_seed(0)
    names = tuple("abcde")
    bases = [share.Staged([nn.Linear(6, 1, bias=False)], torch.zeros(1, 6)) for _ in range(2)]
    model = share.LowRank(bases, {name: nn.Identity() for name in names}).double()
    for coefficients in model.coefficients:
        nn.init.normal_(coefficients[0])
    weights = torch.cat(list(model(torch.eye(6, dtype=torch.float64)).values()), dim=1)  # [D, T]
    assert torch.linalg.matrix_rank(weights) == 2
    basis = torch.stack([base.stages[0].weight[0] for base in bases], dim=1)
    mixtures = torch.stack([coefficients[0][0] for coefficients in model.coefficients], dim=1)
    torch.testing.assert_close(weights, basis @ mixtures)


def test_stages_are_combined_apart_from_one_another():
    torch.manual_seed(0)
    bases = [share.MLP(3, [5, 4]) for _ in range(3)]
    model, x = share.LowRank(bases, {"a": nn.Identity()}), torch.randn(6, 3)
    nn.init.normal_(model.coefficients.of("a")[0])
    features = x
    for stage, mixture in enumerate(model.coefficients.of("a")[0]):
        layers = [base.stages[stage][0] for base in bases]
        weight = sum(share_of * layer.weight for share_of, layer in zip(mixture, layers, strict=True))
        bias = sum(share_of * layer.bias for share_of, layer in zip(mixture, layers, strict=True))
        features = nn.functional.silu(features @ weight.T + bias)
    torch.testing.assert_close(model(x)["a"], features)


def test_running_statistics_are_refused():
    def trunk() -> share.Trunk:
        return share.Staged([nn.Linear(3, 4), nn.BatchNorm1d(4)], torch.zeros(2, 3))

    with pytest.raises(UsageError, match="running"):
        share.LowRank([trunk(), trunk()], {"a": nn.Identity()})
