"""The command line: parse, call, print. Nothing is computed here; nothing heavy is imported before a command runs."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code: 0 done, 1 failed, 2 misused, 130 interrupted, 143 terminated."""
    try:
        from steepest.cli.app import run

        return run(argv)
    except KeyboardInterrupt:  # before a command could take care of it
        return 130
