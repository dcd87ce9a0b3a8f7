"""``python -m simbox``: the same as the ``simbox`` command."""

from simbox.cli import main

main()
