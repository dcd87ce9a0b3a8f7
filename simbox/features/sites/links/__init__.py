"""One file a kind of link: for each pair of lines, how much it speaks for one room, in nats."""
