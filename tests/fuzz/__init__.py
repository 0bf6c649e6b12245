"""Fuzzers: programs that try what nobody would write, and report what should not have happened."""
