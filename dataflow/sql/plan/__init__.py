"""What a query is once names and types are settled, and rewriting that. Knows no parser."""
