"""RTP: streams with and without announcement."""
