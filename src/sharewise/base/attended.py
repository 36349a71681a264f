"""Run a module as a program that ends with the process that started it, however that ended:
``python -m sharewise.base.attended PROCESS_ID MODULE ARGUMENT ...``.

The watch begins before the module is imported, so that no orphan goes on importing, and needs no help of the module.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time

SECONDS_BETWEEN_LOOKS = 0.25


def end_with(parent: int) -> None:
    """Let this process end soon after it is no longer a child of ``parent``."""
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
