"""The passes over a bucket of events; each module declares one ``VIEW``."""
