"""Fixed windows of octets gathered from a buffer at many offsets at once.

A gather of untyped items is ten times cheaper than one of a structured type, so the windows are
gathered untyped and viewed afterwards.  No window may leave the buffer: ``packets.PAD``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from simbox.ingest.capture.packets.columns import Index, Octets

Rows = npt.NDArray[np.bool_]


def gather(data: Octets, at: Index, width: int) -> Octets:
    """The ``width`` octets at each offset, shape (offsets, width)."""
    taken: Octets = _windows(data, width)[at].view(np.uint8)
    return taken.reshape(len(at), width)


def numbers(data: Octets, kind: str) -> Callable[[Index], npt.NDArray[Any]]:
    """What gives the numbers of one type, as ``<u4``, at offsets in a buffer."""
    dtype = np.dtype(kind)
    windows = _windows(data, dtype.itemsize)
    return lambda at: windows[at].view(dtype)


def _windows(data: Octets, width: int) -> npt.NDArray[np.void]:
    return np.ndarray((len(data) - width + 1,), dtype=f"V{width}", buffer=data.data, strides=(1,))


def number(octets: Octets, first: int, width: int = 2) -> Index:
    """The big-endian number in so many octets of each window, from column ``first`` on."""
    column = octets[:, first : first + width].view(f">u{width}")[:, 0]
    return column.astype(np.int64)


def number_at(data: Octets, at: Index, width: int = 2) -> Index:
    """The big-endian number in the ``width`` octets at each offset."""
    return number(gather(data, at, width), 0, width)


def tally(counts: Counter[str], name: str, rows: Rows) -> None:
    """Count the rows that are true, if any, under a name."""
    if found := int(np.count_nonzero(rows)):
        counts[name] += found
