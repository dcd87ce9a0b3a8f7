"""Voice inside encrypted tunnels, by sizes and rates."""
