"""Which lines stand together: links between lines that a room cannot hide."""
