"""What ties a window to a session: live queries to panels, keys to entries."""
