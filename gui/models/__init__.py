"""What panels draw, as numbers and rows: geometry, series, table models."""
