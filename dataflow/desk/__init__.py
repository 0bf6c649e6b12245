"""One desk: pipeline, entries, what needs attention, delays, and how far the log is followed."""
