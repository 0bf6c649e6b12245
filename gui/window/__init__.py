"""The window around the panels: header, grid, foot, banner, keys and dialogs."""
