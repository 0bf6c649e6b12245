"""The demo's several desks, each a process of its own."""
