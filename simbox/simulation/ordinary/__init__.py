"""Ordinary life: people's lines, and the fixed lines of homes and small firms."""

from simbox.simulation.group import Kind
from simbox.simulation.ordinary.fixed_lines import FIXED_LINES
from simbox.simulation.ordinary.people import PEOPLE, PEOPLE_KIND

ORDINARY: tuple[Kind, ...] = (PEOPLE, FIXED_LINES)

__all__ = ["ORDINARY", "PEOPLE_KIND"]
