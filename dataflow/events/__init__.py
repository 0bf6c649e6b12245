"""A board's events: their fields and rows, operators' entries, withdrawals."""
