"""NATS as Watchfloor uses it: subjects, messages, connections, streams, identities."""
