"""What is told beside the window: the terminal, the log file, reports of bugs."""
