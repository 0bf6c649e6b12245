"""Plain JSON messages of devices as events, by a board's `[sources]`. Pure functions."""
