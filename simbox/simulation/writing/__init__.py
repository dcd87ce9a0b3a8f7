"""Worlds as files: call records in the layout of any profile, the cell table, the labels."""

from simbox.simulation.writing.export import Target, write, write_world
from simbox.simulation.writing.files import Form
from simbox.simulation.writing.records import Tally

__all__ = ["Form", "Tally", "Target", "write", "write_world"]
