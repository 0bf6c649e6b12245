"""Bounds on values: beyond them a function gives NULL, whoever asks, so that no value costs a desk a second or a
gigabyte. They depend on the arguments alone: what was inserted is retracted by the same rule.
"""

from __future__ import annotations

LONGEST = 1_000_000
"""No text is padded or repeated beyond this."""
LONGEST_TEXT = 16_000_000
"""Letters of a text that is put together from others."""
PAIRS = 200_000_000
"""Bytes of one text times bytes of the other, where they are compared each with each."""
COMPARED = 100_000
"""Bytes of the longer of them."""
WIDEST = 1_000
"""Letters between two % of a LIKE pattern, where _ is among them."""
PLACES = 20_000_000
"""Places of a text times letters of such a stretch of a pattern."""
DEEPEST = 500
"""Levels of JSON."""
