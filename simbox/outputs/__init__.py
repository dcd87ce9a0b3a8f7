"""What leaves simbox: the run folder, the terminal, the HTML report, the explanation of a line."""
