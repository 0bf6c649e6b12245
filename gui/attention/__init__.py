"""The dialog of what needs attention."""
