"""From what captures show to one row of measured signals a host."""

from simbox.features.hosts.declaration import HostView, features
from simbox.features.hosts.engine import host_features, ports_estimate

__all__ = ["HostView", "features", "host_features", "ports_estimate"]
