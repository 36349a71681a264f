"""One thread for small matrices: many would only wait for each other, and sum in another order."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through the loaded libraries once


def one_thread() -> AbstractContextManager[Any]:
    """Within it, NumPy's and SciPy's linear algebra uses one thread."""
    return _controller().limit(limits=1, user_api="blas")
