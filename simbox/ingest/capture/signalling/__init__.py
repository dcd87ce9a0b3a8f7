"""What several protocols of signalling share, and dialogs made of their messages."""
