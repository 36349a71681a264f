"""Which attributes of an ARFF file are labels: Mulan's XML beside it, or MEKA's number in the relation."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from ...base import DataError

MEKA_LABELS = re.compile(r"-C\s+(-?\d+)")


def find_labels(path: Path, relation: str, names: list[str]) -> list[str]:
    """Labels by Mulan's XML beside the file (also of NAME for NAME-train and NAME-test), else by MEKA's -C n."""
    stem = path.name[:path.name.lower().index(".arff")]
    for name in dict.fromkeys((stem, re.sub(r"[-_](train|test|f\d+)$", "", stem, flags=re.IGNORECASE))):
        beside = path.with_name(name + ".xml")
        if beside.is_file():
            return _mulan_labels(beside, names)
    meka = MEKA_LABELS.search(relation)
    if not meka or not int(meka[1]):
        return []
    count = int(meka[1])
    return names[:count] if count > 0 else names[count:]


def _mulan_labels(path: Path, names: list[str]) -> list[str]:
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise DataError(f"label list {str(path)!r}", f"can't be read ({error})", "it must be Mulan's XML",
                        "Mend or remove it.") from error
    labels = [str(node.get("name")) for node in root.iter() if node.tag.rpartition("}")[2] == "label"]
    strange = [label for label in labels if label not in set(names)]
    if strange:
        raise DataError(f"label list {str(path)!r}", f"names {strange[0]!r}", "each label must be an attribute",
                        "Mend or remove it.")
    return labels
