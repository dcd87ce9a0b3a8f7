"""The commands as one application; a command's module is imported when it is asked for."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Sequence
from typing import Annotated

import typer

from simbox import __version__, cli
from simbox.cli._messages import DEBUG
from simbox.errors import UsageError

VERSION = "--version"


def application(arguments: Sequence[str]) -> typer.Typer:
    """The application that answers these arguments: with the command asked for, else with all."""
    app = typer.Typer(
        name="simbox",
        help="Finds telecom voice gateways (SIM boxes) in call records and captures, and says why.",
        invoke_without_command=True,
        callback=_options,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in _wanted(arguments):
        module = importlib.import_module(f"{cli.__name__}.{name.replace('-', '_')}")
        app.command(name)(module.command)
    return app


def _wanted(arguments: Sequence[str]) -> list[str]:
    found = (module.name for module in pkgutil.iter_modules(cli.__path__))
    names = sorted(name.replace("_", "-") for name in found if not name.startswith("_"))
    first = next((argument for argument in arguments if not argument.startswith("-")), None)
    if first in names:
        return [first]
    return [] if first is None and VERSION in arguments else names


def _version(wanted: bool) -> None:
    if wanted:
        print(f"simbox {__version__}")
        raise typer.Exit


def _options(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option(VERSION, callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help=f"Show tracebacks; {DEBUG}=1 does the same.")
    ] = False,
) -> None:
    del version  # the eager callback has answered it
    if debug:
        os.environ[DEBUG] = "1"
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
        raise typer.Exit(UsageError.exit_code)
