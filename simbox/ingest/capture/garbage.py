"""Memory that is no longer used: how often it is looked for, and given back."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 50_000  # between two looks


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let Python look for cycles seldom: reading makes millions of objects, and hardly a cycle.

    As often as it does by itself the search takes a twentieth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def give_back() -> None:
    """Return what has been freed to the system, where the C library keeps it for later (glibc)."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
