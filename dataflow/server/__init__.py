"""The shared log's server: a real nats-server, its configuration, its users, and the stream of a board."""
