"""The command line: one file a command, found by walking this package.

A command file holds one function named ``command``; its name on the command line is the file's.
The library raises, and only here is anything printed.
"""

from __future__ import annotations

import sys

from simbox.cli._messages import one_line
from simbox.cli._process import ended_early, leave, prepare


def main() -> None:
    """Run the command line and end the process with its exit code."""
    prepare()
    try:
        from simbox.cli._application import application  # noqa: PLC0415  # Ctrl-C may fall here

        code = application(sys.argv[1:])(standalone_mode=False)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  # no traceback on a screen; polars' panics too
        code = ended_early() or one_line(error)
    leave(code)
