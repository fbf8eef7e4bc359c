#!/usr/bin/env python3
"""The floor of scripting for `just bench-e2e`: the SQL of test files through Python's sqlite3.

    scripts/peer_sqlite3.py PATH…

Splits each file at empty lines, executes what SQLite is to execute, fetches the rows and makes text of them.
Nothing is sorted, hashed or compared.
"""

import sqlite3
import sys
from pathlib import Path


def sql_of(block: list[str]) -> tuple[str, str] | None:
    """The kind and the SQL of a record that is for SQLite."""
    while block and block[0].split()[:1] in (["onlyif"], ["skipif"]):
        condition, engine = block.pop(0).split()[:2]
        if (condition == "onlyif") != (engine == "sqlite"):
            return None
    words = block[0].split() if block else []
    if not words or words[0] not in ("statement", "query", "halt"):
        return None
    end = block.index("----") if "----" in block else len(block)
    return words[0], "\n".join(block[1:end])


def main() -> None:
    paths = [Path(path) for path in sys.argv[1:]]
    files = [file for path in paths for file in (sorted(path.rglob("*.test")) if path.is_dir() else [path])]
    records = 0
    for file in files:
        database = sqlite3.connect(":memory:", isolation_level=None)
        text = file.read_text(encoding="utf-8", errors="replace")
        for block in text.replace("\r\n", "\n").split("\n\n"):
            lines = [line for line in block.split("\n") if line and not line.startswith("#")]
            found = sql_of(lines)
            if found is None:
                continue
            kind, sql = found
            if kind == "halt":
                break
            records += 1
            try:
                for row in database.execute(sql):
                    for value in row:
                        str(value)
            except sqlite3.Error:
                pass
        database.close()
    print(f"{len(files)} files, {records} records")


if __name__ == "__main__":
    main()
