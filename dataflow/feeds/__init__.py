"""Where confirmed events come from and entries go to: one small protocol, one file an implementation."""
