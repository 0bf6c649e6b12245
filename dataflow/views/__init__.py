"""A board's views at a position: the engine with the log that has been read into it."""
