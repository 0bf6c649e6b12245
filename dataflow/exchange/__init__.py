"""Import and export: CloudEvents NDJSON and CSV, line by line."""
