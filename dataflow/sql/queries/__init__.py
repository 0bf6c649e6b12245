"""Clauses of queries, joins and subqueries: from the parser's tree to plans."""
