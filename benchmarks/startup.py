"""What ``sharewise --help`` costs, as a share of importing torch: both measured in one run, one after the other.

    python benchmarks/startup.py [--rounds 5]

Prints the median of each and the ratio, and writes them to results/startup.md; ends with code 1 where the ratio
is above a tenth.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from time import perf_counter

LIMIT = 0.1
RESULT = Path(__file__).parent / "results" / "startup.md"
COMMANDS = {"import torch": ["-c", "import torch"], "sharewise --help": ["-m", "sharewise", "--help"],
            "bare python": ["-c", "pass"]}


def seconds(words: list[str]) -> float:
    """Wall time of one fresh Python process."""
    start = perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def main() -> int:
    """Measure in turns, so that a busy moment of the machine hits all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for words in COMMANDS.values():
        seconds(words)  # the first reads from disk
    times = [[seconds(words) for words in COMMANDS.values()] for _ in range(rounds)]
    medians = {name: sorted(own)[rounds // 2] for name, own in zip(COMMANDS, zip(*times, strict=True), strict=True)}
    ratio = medians["sharewise --help"] / medians["import torch"]
    rows = [f"| {name} | {value:.3f} |" for name, value in medians.items()]
    text = "\n".join([
        f"Median of {rounds} fresh processes each, in turns.", "", "| process | seconds |", "|---|--:|", *rows, "",
        f"`sharewise --help` takes {ratio:.3f} of the time of importing torch (at most {LIMIT})."])
    print(text)
    RESULT.write_text(text + "\n", encoding="utf-8")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
