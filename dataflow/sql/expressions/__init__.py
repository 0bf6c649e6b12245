"""Scalar, aggregate and window functions: from the parser's nodes to typed plan expressions."""
