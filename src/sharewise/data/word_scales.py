"""Words that stand in an order by themselves: low < mid < high, poor < fair < good, 10-19 < 20-29 < 30+."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A scale is a line; its rungs go up; words on one rung mean the same.
SCALES = tuple(tuple(frozenset(rung.split("/")) for rung in line.split(" < ")) for line in (
    "minimal < verylow < low < lowmedium/mediumlow/fairlylow/ratherlow < medium/mid/middle/moderate/normal/average < "
    "mediumhigh/highmedium/fairlyhigh/ratherhigh < high < veryhigh/vhigh < extreme/maximal",
    "terrible/awful/verypoor/verybad/vpoor < poor/bad < belowaverage < fair/average/ok/okay/mediocre/acceptable/normal "
    "< aboveaverage < good < verygood/vgood/great < excellent/ideal < outstanding/perfect",
    "fair < good < verygood < premium < ideal",
    "none/no/notatall/nothing < slight/little/alittle/few/afewdays < some/several/severaldays/somewhat "
    "< many/much/alot/freq/frequent/morethanhalfthedays < most/nearlyeveryday < all/every",
    "never < almostnever < rarely/seldom < sometimes/occasionally < often/frequently/regularly "
    "< veryoften/usually/mostly < almostalways < always",
    "never < yearly/annually < quarterly < monthly < weekly < daily < hourly",
    "xxs < xs < s < m < l < xl < xxl < xxxl", "l/lo < m/med/mid < h/hi",
    "tiny < small < medium/mid < large/big < huge/verylarge",
    "short < medium < long", "cheap < moderate < expensive", "young < middleaged/middle < old",
    "cold < cool < mild < warm < hot", "slow < medium < fast", "weak < medium/moderate < strong",
    "none/absent < trace < mild/minor/light < moderate < marked/major < severe/heavy/serious < critical < fatal",
    "stronglydisagree < disagree < somewhatdisagree < neutral/neither/undecided < somewhatagree < agree "
    "< stronglyagree",
    "verydissatisfied < dissatisfied/unsatisfied < neutral < satisfied < verysatisfied",
    "veryunlikely < unlikely < neutral/possible < likely < verylikely",
    "negative < neutral < positive", "debug < info < warning < error < critical",
    "underweight < normweight/normal/normalweight < overweight < obese", "bronze < silver < gold < platinum",
    "first < second < third < fourth < fifth", "monday < tuesday < wednesday < thursday < friday < saturday < sunday",
    "beginner/novice < intermediate < advanced < expert", "green < yellow < red"))
RANGE = re.compile(r"(?:(<=?|under |below |>=?|over |above )?[$€£]?(\d[\d,]*(?:\.\d+)?)\s*"
                   r"(?:(?:-|–|to|_|_to_)\s*[$€£]?\d[\d,]*(?:\.\d+)?|\+| ?plus|_plus| and (?:over|more))?)"
                   r"\s*(?:years|yrs|k)?", re.IGNORECASE)
STEP = re.compile(r"(?:grade|stage|level|step|degree|tier|rank|score)[ _-]?(\d+)", re.IGNORECASE)
PLACE = re.compile(r"(\d+)(?:st|nd|rd|th)(?: \w+)?", re.IGNORECASE)


def word_order(values: Sequence[str]) -> list[str] | None:
    """The values from low to high if they are words of a known scale, ranges of numbers or numbered steps; else None.

    >>> word_order(["Good", "Poor", "Very good"])
    ['Poor', 'Good', 'Very good']
    >>> word_order(["30+", "10-19", "20-29"])
    ['10-19', '20-29', '30+']
    >>> word_order(["red", "blue", "green"]) is None
    True
    """
    plain = {value: re.sub(r"[\s_\-]+", "", value).lower() for value in values}
    for scale in SCALES:
        rungs = {value: [at for at, rung in enumerate(scale) if word in rung] for value, word in plain.items()}
        if all(rungs.values()) and len({rung[0] for rung in rungs.values()}) == len(values):
            return sorted(values, key=lambda value: rungs[value])
    return _by_numbers(values, STEP) or _by_numbers(values, PLACE) or _by_ranges(values)


def _by_numbers(values: Sequence[str], pattern: re.Pattern[str]) -> list[str] | None:
    matches = {value: pattern.fullmatch(value.strip()) for value in values}
    numbers = {value: int(match[1]) for value, match in matches.items() if match}
    stems = {re.sub(r"\d+(st|nd|rd|th)?", "", value.strip(), flags=re.IGNORECASE) for value in values}
    if len(numbers) < len(values) or len(set(numbers.values())) < len(values) or len(stems) > 1:
        return None
    return sorted(values, key=numbers.__getitem__)


def _by_ranges(values: Sequence[str]) -> list[str] | None:
    matches = {value: RANGE.fullmatch(value.strip()) for value in values}
    if not all(matches.values()) or all(value.strip().isdigit() for value in values):
        return None
    below = ("<", "<=", "under ", "below ")
    keys = {value: (float(match[2].replace(",", "")) - 0.5 * ((match[1] or "").lower() in below)
                    + 0.5 * ((match[1] or "").lower() in (">", "over ", "above ")))
            for value, match in matches.items() if match}
    return sorted(values, key=keys.__getitem__) if len(set(keys.values())) == len(values) else None
