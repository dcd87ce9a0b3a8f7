"""The signals, one file a family; each module declares ``FEATURES``."""
