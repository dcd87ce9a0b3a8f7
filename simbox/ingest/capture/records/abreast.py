"""The chain of a file's records, followed from many places at once.

Records lead from one to the next by their lengths, so that a walk is one step a record.  Here a
stretch is cut into pieces; from the first header in each, which is a guess, a chain goes on until
it comes to the guess of the next piece.  All chains take each step together.  If every chain ends
exactly on the next guess, by induction from the first octet all guesses were right.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simbox.ingest.capture.packets.columns import Index

PIECE = 32  # records to a piece, about
STEPS = 8  # that are taken before it is looked which chains have arrived
MOST_STEPS = 8 * PIECE  # of a chain; beyond, a plain walk is faster

Following = Callable[[Index], Index]  # where the records at some places end


def abreast(guesses: Index, end: int, following: Following) -> tuple[Index, int]:
    """Where the first records of a stretch begin, and where to walk on.

    Args:
        guesses: where a record seems to begin, ascending; at the first of them, 0, one does.
        end: how far records may begin; no place beyond is asked for.
        following: where the records at some places end, behind the place at any rate.
    """
    limit = np.append(guesses[1:], end)
    arrived = np.zeros_like(guesses)  # the first place of each chain that is not before its limit
    chain, at, found = np.arange(len(guesses)), guesses, []
    for _ in range(0, MOST_STEPS, STEPS):
        steps = np.empty((STEPS + 1, len(at)), np.int64)
        steps[0] = at
        for step in range(STEPS):
            # a chain that has arrived goes on for a while: to hold it back would cost more
            steps[step + 1] = following(np.minimum(steps[step], end))
        within = steps < limit[chain]
        found.append(steps[:-1][within[:-1]])
        arrived[chain] = steps[within.sum(axis=0).clip(max=STEPS), np.arange(len(at))]
        chain, at = chain[within[-1]], steps[-1][within[-1]]
        if not len(at):
            break
    astray = np.flatnonzero(arrived[:-1] != limit[:-1])
    last = int(astray[0]) if len(astray) else len(guesses) - 1
    starts = np.concatenate(found)
    if len(astray):
        starts = starts[starts < limit[last]]
    starts.sort()
    return starts, int(arrived[last])
