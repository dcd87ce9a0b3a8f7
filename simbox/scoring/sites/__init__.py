"""From links between lines to scored, explained sites."""
