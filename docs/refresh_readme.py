"""`make readme`: run the commands that the documents quote and paste what they print today.

A quoted output is marked by the command that printed it, and nothing else in a document is touched:

    <!-- output: steepest methods -->
    ```text
    …
    ```

`tests/docs` holds the documents to it, so that they cannot say what the program no longer does.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *(ROOT / "docs" / name for name in ("commands.md", "techniques.md")))
QUOTE = re.compile(r"(<!-- output: (steepest[^\n]*?) -->\n```text\n)(.*?)(```\n)", re.DOTALL)
LOOK = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}


def quotes(page: Path) -> Iterator[tuple[str, str]]:
    """Every command that a page quotes, with the output it shows."""
    for match in QUOTE.finditer(page.read_text(encoding="utf-8")):
        yield match[2], match[3]


def printed(command: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What a command prints to standard output when given in `folder` (which is called /home/you), blank ends cut."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("STEEPEST_")}
    cache = {"STEEPEST_CACHE": os.environ["STEEPEST_CACHE"]} if "STEEPEST_CACHE" in os.environ else {}
    done = subprocess.run(
        [sys.executable, "-m", "steepest", *shlex.split(command)[1:]],
        cwd=folder,
        env={**own, **cache, **LOOK, **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command}: exit code {done.returncode}: {done.stderr.strip()}")
    said = done.stdout.strip("\n").replace(str(folder.resolve()), "/home/you")
    return "".join(f"{line.rstrip()}\n" for line in said.splitlines())


def main() -> None:
    """Refresh every page."""
    with tempfile.TemporaryDirectory() as folder:
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            page.write_text(
                QUOTE.sub(lambda m: m[1] + printed(m[2], Path(folder)) + m[4], text), encoding="utf-8", newline="\n"
            )
            print(f"{page.relative_to(ROOT)}: {len(list(quotes(page)))} outputs")


if __name__ == "__main__":
    main()
