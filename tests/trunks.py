"""Small trunks of every sort, over rows, maps and tokens, with the shape of a batch that each reads."""

from __future__ import annotations

from torch import nn

from sharewise import share


def transformer() -> share.Trunk:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    return share.Transformer(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False))


CASES = [(lambda: share.MLP(3, [5, 4]), (6, 3)), (lambda: share.ResNet(2, [4, 6]), (2, 2, 5, 5)),
         (transformer, (2, 3, 4))]
