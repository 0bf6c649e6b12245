"""The incremental engine: relations in, live queries out. It knows no boards, no logs and no feeds."""
