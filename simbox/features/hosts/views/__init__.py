"""Views of hosts, one file each; a module declares ``VIEW``."""
