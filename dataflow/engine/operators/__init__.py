"""The operators of a circuit, one a file."""
