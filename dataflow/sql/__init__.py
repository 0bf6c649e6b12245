"""SQL text to plans, and plans to Python code: a part of DuckDB's dialect."""
