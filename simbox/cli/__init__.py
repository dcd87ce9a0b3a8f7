"""The command line: one file a command, found by walking this package.

A command file holds one function named ``command``; its name on the command line is the file's.
The library raises, and only here is anything printed.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from typing import Annotated

import typer

from simbox import __version__
from simbox.cli._process import DEBUG, end, prepare, unforeseen
from simbox.errors import EXIT_UNEXPECTED, SimboxError

app = typer.Typer(
    name="simbox",
    help="Finds telecom voice gateways (SIM boxes) in call records, and says why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"simbox {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help=f"Show tracebacks; {DEBUG}=1 does the same.")
    ] = False,
) -> None:
    """Finds telecom voice gateways (SIM boxes) in call records, and says why."""
    del version  # the eager callback has answered it
    if debug:
        os.environ[DEBUG] = "1"


def _register_commands() -> None:
    for found in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        if not found.startswith("_"):
            module = importlib.import_module(f"{__name__}.{found}")
            app.command(found.replace("_", "-"))(module.command)


_register_commands()


def main() -> None:
    """Run the command line and end the process with its exit code."""
    prepare()
    try:
        app()
    except SimboxError as error:
        end(str(error), error.exit_code)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  # no traceback on a screen; polars' panics too
        end(unforeseen(error), EXIT_UNEXPECTED)
