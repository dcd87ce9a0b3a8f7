"""Call detail records as text or tables: profiles that say how to read them, and the readers."""
