"""What can go wrong, and the exit code each kind of trouble ends a run with.

SimboxError                  1   anything the library refuses
├── UsageError               2   a wrong option, path or argument
├── ConfigError              2   a wrong key or value in a configuration, profile or list
├── InputError               2   a file that cannot be what it should be
│   └── NotReadyError       75   input that is not there yet: try again later
├── DataQualityError         4   too large a share of the records was rejected
└── LockedError              5   another run holds the lock

Findings are not an error: ``--fail-on`` ends a run with :data:`EXIT_FINDINGS`.
Every message is one line that says where, what was found, and what to try.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_DONE = 0
EXIT_UNEXPECTED = 1
EXIT_FINDINGS = 3


class SimboxError(Exception):
    """The root of everything that simbox raises on purpose."""

    exit_code = EXIT_UNEXPECTED


class UsageError(SimboxError):
    """An option, path or argument that makes no sense."""

    exit_code = 2


class ConfigError(SimboxError):
    """A key or value in a configuration, profile or list file that does not fit."""

    exit_code = 2


class InputError(SimboxError):
    """A file that cannot be read as what it is meant to be."""

    exit_code = 2


class NotReadyError(InputError):
    """Input that is not there yet."""

    exit_code = 75


class DataQualityError(SimboxError):
    """More records were rejected than the configured share allows."""

    exit_code = 4


class LockedError(SimboxError):
    """Another run works on the same output."""

    exit_code = 5


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to a message: the known word nearest to a wrong one, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
