"""The commands of `watchfloor`, one a file; imported when they are called."""
