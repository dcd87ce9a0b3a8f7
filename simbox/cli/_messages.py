"""The one line that a command says when it cannot go on, and the exit code that goes with it."""

from __future__ import annotations

import os
import re
import sys
import traceback

from simbox.errors import EXIT_UNEXPECTED, SimboxError, UsageError

DEBUG = "SIMBOX_DEBUG"  # set to 1: a traceback before the one line
FULL = re.compile(r"(?i)no space left|file too large|quota exceeded")  # polars drops the errno
OF_SYSTEM = "(os error "  # in what polars says of a file that it could not write


def one_line(error: BaseException) -> int:
    """Say on one line, without control characters, why the process ends; the exit code of it."""
    if os.environ.get(DEBUG) == "1":
        traceback.print_exception(error)
    message, code = _told(error)
    line = " ".join(message.split())
    print("simbox:", "".join(c if c.isprintable() else "?" for c in line), file=sys.stderr)
    return code


def _told(error: BaseException) -> tuple[str, int]:
    """Message and exit code of an error."""
    if isinstance(error, SimboxError):
        return str(error), error.exit_code
    wrong_option = getattr(error, "format_message", None)  # as the parser of options raises it
    if callable(wrong_option):
        said = str(wrong_option()).rstrip(".")
        return f"{said}{_help_hint(error)}", UsageError.exit_code
    if isinstance(error, PermissionError):
        where = f"{error.filename}: " if error.filename else ""
        said = error.strerror or str(error)
        return f"{where}closed to this user ({said}); change its rights", UsageError.exit_code
    return unforeseen(error), EXIT_UNEXPECTED


def _help_hint(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    return f"; '{context.command_path} --help' shows more" if context else ""


def unforeseen(error: BaseException) -> str:
    """The message for an error that nobody raised on purpose."""
    if FULL.search(str(error)) and (isinstance(error, OSError) or OF_SYSTEM in str(error)):
        name = getattr(error, "filename", None)
        where = f"{name}: " if name else ""
        return (
            f"{where}the disk is full or a file grew past its limit; free space, or write "
            "to another folder (and set TMPDIR)"
        )
    return f"unexpected {type(error).__name__}: {error} (--debug shows where)"
