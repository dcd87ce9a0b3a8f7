"""From events to one row of measured signals a line."""

from simbox.features.declaration import Feature, View, features
from simbox.features.engine import FeatureRun, compute, no_lines

__all__ = ["Feature", "FeatureRun", "View", "compute", "features", "no_lines"]
