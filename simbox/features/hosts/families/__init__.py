"""Signals of hosts, one file a family or two; each module declares ``FEATURES``."""
