"""The kinds of panels, and the card in which each lives."""
