"""The durable side: events, the log, the outbox and quarantine, on SQLite through SQLAlchemy Core."""
