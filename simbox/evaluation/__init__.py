"""How well gateways are found in worlds where the truth is known."""
