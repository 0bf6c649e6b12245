"""A query's text to sqlglot's tree, and everything that DuckDB reads otherwise than sqlglot."""
