"""Entry forms: a field box for each type of field."""
