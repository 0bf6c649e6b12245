"""The feed of a shared log, which is a JetStream stream: following it, and sending entries to it."""
