"""What every widget of ours stands on: guarded painting, plain text, pills."""
