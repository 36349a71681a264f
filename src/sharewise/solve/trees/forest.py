"""A forest as flat arrays: it predicts the same before and after saving, and is saved without pickle."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Integer, UInt8
from safetensors.numpy import load_file, save_file
from sklearn.tree._tree import NODE_DTYPE, Tree

from ..stored import reading

Array = np.ndarray
NODE_ARRAYS = ("right", "feature", "threshold", "missing_left")
TYPES = {"starts": "int64", "right": "int32", "feature": "uint16 int32", "threshold": "float32",
         "missing_left": "uint8", "values": "float32"}


@dataclass
class Forest:
    """K trees one after the other, M nodes in all; ``starts`` [K + 1] says where each begins.

    ``right`` counts from the tree's own first node and is -1 in a leaf; the left child is always the next node. A row
    goes left where ``X[feature] <= threshold``, and where the feature is missing and ``missing_left`` is 1. ``values``
    [L, C] belong to the L leaves in their order; ``features`` is D.
    """

    starts: Int[Array, "K1"]
    right: Int[Array, "M"]
    feature: Integer[Array, "M"]
    threshold: Float[Array, "M"]
    missing_left: UInt8[Array, "M"]
    values: Float[Array, "L C"]
    features: int

    def __post_init__(self) -> None:
        self.leaf = np.cumsum(self.right < 0) - 1
        self.trees = [self._tree(low, high) for low, high in pairwise(self.starts.tolist())]

    def _tree(self, low: int, high: int) -> Tree:
        nodes = np.zeros(high - low, dtype=NODE_DTYPE)
        right = self.right[low:high]
        nodes["left_child"], nodes["right_child"] = np.where(right < 0, -1, np.arange(1, high - low + 1)), right
        nodes["feature"], nodes["threshold"] = self.feature[low:high], self.threshold[low:high]
        nodes["missing_go_to_left"] = self.missing_left[low:high]
        tree = Tree(self.features, np.ones(1, dtype=np.intp), 1)
        tree.__setstate__({"max_depth": 0, "node_count": high - low, "nodes": nodes,
                           "values": np.zeros((high - low, 1, 1))})
        return tree

    def leaves(self, tree: int, X: Float[Array, "N D"]) -> Int[Array, "N"]:
        """The node, counted over the whole forest, in which each row ends."""
        return self.starts[tree] + self.trees[tree].apply(X)

    def predict(self, X: Float[Array, "N D"]) -> Float[Array, "N C"]:
        """The mean over the trees of the values of the leaves."""
        total = np.zeros((len(X), self.values.shape[1]))
        for tree in range(len(self.trees)):
            total += self.values[self.leaf[self.leaves(tree, X)]]
        return total / len(self.trees)

    @property
    def parameter_count(self) -> int:
        """One threshold a split, and the values of the leaves."""
        return int((self.right >= 0).sum()) + self.values.size

    def save(self, file: Path) -> None:
        """Write all arrays as safetensors."""
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in ("starts", "values", *NODE_ARRAYS)}
        save_file({**arrays, "features": np.array([self.features])}, file)

    @classmethod
    def load(cls, file: Path) -> Forest:
        """What ``save`` wrote. FolderError where the arrays are no forest, so that no walk can leave them."""
        with reading(file.parent):
            arrays = load_file(file)
            features = int(arrays.pop("features")[0])
            check_forest(arrays, features)
            return cls(**arrays, features=features)


def check_forest(arrays: dict[str, Array], features: int) -> None:
    """ValueError unless the arrays are trees whose children lie behind their parents and inside their tree."""
    if set(arrays) != set(TYPES) or any(array.dtype.name not in TYPES[name].split() for name, array in arrays.items()):
        raise ValueError("the arrays have other names or types")
    starts, right = arrays["starts"], arrays["right"]
    size = np.diff(starts)
    if starts.ndim != 1 or len(starts) < 2 or starts[0] != 0 or (size < 1).any() or starts[-1] != len(right):
        raise ValueError("the trees do not fill the nodes")
    if any(arrays[name].shape != right.shape for name in NODE_ARRAYS) or right.ndim != 1:
        raise ValueError("the node arrays differ in length")
    own, ends = np.arange(len(right)) - np.repeat(starts[:-1], size), np.repeat(size, size)
    leaf = right == -1
    if ((right <= own + 1) & ~leaf).any() or (right >= ends).any():
        raise ValueError("a child lies outside its tree")
    if np.isnan(arrays["threshold"]).any():
        raise ValueError("a threshold is missing")
    if ((arrays["feature"] < 0) | (arrays["feature"] >= features))[~leaf].any() or features < 1:
        raise ValueError("a split uses an unknown feature")
    if arrays["values"].ndim != 2 or len(arrays["values"]) != leaf.sum() or not np.isfinite(arrays["values"]).all():
        raise ValueError("the leaves have no finite values")
