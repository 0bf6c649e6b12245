"""`python -m tests.fuzz.worker SEED`: tries the statements whose numbers come on its standard input, one a line, and
answers each with its outcome as a JSON line.
"""

from __future__ import annotations

import resource
import sys

import msgspec

from tests.fuzz.statements import Statements
from tests.fuzz.trial import attempt, worlds

MEMORY = 4 * 2**30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    statements, makers = Statements(int(sys.argv[1])), worlds()
    for line in sys.stdin:
        number = int(line)
        outcome = attempt(makers, number, statements.statement(number))
        print(msgspec.json.encode(outcome).decode(), flush=True)


if __name__ == "__main__":
    main()
