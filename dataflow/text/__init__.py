"""Words for people: near misses of names, names that can be told apart by eye."""
