"""Frames and packets as columns: link layers, IP, tunnels, fragments, transports."""
