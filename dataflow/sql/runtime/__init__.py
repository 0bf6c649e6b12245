"""What generated code calls: DuckDB's meanings, value by value."""
