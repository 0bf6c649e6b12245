"""Values and states as words. Pure, no Qt."""
