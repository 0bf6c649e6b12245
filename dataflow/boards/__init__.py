"""Reading board files: TOML to structs, rules, CSV tables, SQL checks; every problem with file, line and key."""
