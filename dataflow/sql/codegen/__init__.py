"""Plans to Python source: row by row, folds into groups, sort keys."""
