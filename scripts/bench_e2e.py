#!/usr/bin/env python3
"""Times whole processes beside peers with hyperfine, and writes the figures of docs/performance.md.

    scripts/bench_e2e.py                        all sections, with release builds
    scripts/bench_e2e.py loop start             these sections: loop, files, after, store, start
    scripts/bench_e2e.py --corpus PATH …        other files for `loop` (default: the shipped suite)
    scripts/bench_e2e.py --profile dev          another profile, which the page says
    scripts/bench_e2e.py --no-build             what is in `target` of that profile, as it is
    scripts/bench_e2e.py --print                prints the figures, and leaves the page as it is

The commands of a section take turns, so that other load on the machine falls on all of them; the page has medians
and quartiles. Memory is that of a process and its children together, looked at every 10 ms in a run of its own.
Made-up files and histories are kept in `target/bench-e2e` for the next time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
SCRATCH = ROOT / "target" / "bench-e2e"
PRESETS = ["flaky-tests", "slow-tests", "slowest-records", "latest-failures", "timeouts", "crashes"]
RECORD = "statement ok\nCREATE TABLE t (a INTEGER)\n\nquery I\nSELECT {number} + 1\n----\n{next}\n"


class Failure(Exception):
    """A sentence for the user."""


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def build(profile: str) -> None:
    """Builds the program, and the peers, which are examples of the benchmarks."""
    cargo = ["cargo", "build", "--profile", profile]
    for more in (["--bin", "vibesql-sqllogictest"], ["-p", "vibesql-sqllogictest-bench", "--examples"]):
        if subprocess.run([*cargo, *more], cwd=ROOT).returncode:
            raise Failure("cannot build; see the errors of cargo above")


def tree_memory(process: int) -> int:
    """The resident bytes of a process and its descendants."""
    total, todo = 0, [str(process)]
    while todo:
        folder = Path("/proc") / todo.pop()
        try:
            total += int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in (folder / "task").iterdir():
                todo += (task / "children").read_text().split()
        except OSError:
            continue
    return total


def peak_memory(command: list[str]) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        most = max(most, tree_memory(process.pid))
        time.sleep(0.01)
    return most


def timed(command: list[str], export: Path) -> dict[str, float]:
    """One run by hyperfine: seconds on the wall and of the CPU."""
    words = " ".join(f"'{word}'" for word in command)
    hyperfine = ["hyperfine", "--runs", "1", "--shell", "none", "--ignore-failure", "--style", "none"]
    subprocess.run([*hyperfine, "--export-json", str(export), words], check=True, capture_output=True)
    result = json.loads(export.read_text())["results"][0]
    return {"wall": result["mean"], "cpu": result["user"] + result["system"]}


def spread(values: list[float]) -> str:
    """The median and the quartiles."""
    digits = 3 if statistics.median(values) < 1 else 2
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(commands: dict[str, list[str]], rounds: int, base: str | None, results: str) -> str:
    """Measures the commands in turn. Ratios are those of each round's CPU times to the command `base`.

    The folder `results` is emptied before each run, so that none has the history of the others.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    memory = {name: peak_memory(command) for name, command in commands.items()}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, command in commands.items():
                shutil.rmtree(results, ignore_errors=True)
                found[name].append(timed(command, Path(folder) / "one.json"))
    ratio = f" CPU, times {base} |" if base else ""
    lines = [f"| | wall, s | CPU, s | memory, MiB |{ratio}", f"|---|---|---|---|{'---|' if base else ''}"]
    for name, runs in found.items():
        times = [spread([run[kind] for run in runs]) for kind in ("wall", "cpu")]
        cells = [name, *times, f"{memory[name] / 2**20:.0f}"]
        if base:
            cells.append(spread([run["cpu"] / floor["cpu"] for run, floor in zip(runs, found[base])]))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def peers(program: list[str], examples: Path, paths: list[str]) -> dict[str, list[str]]:
    peer = str(examples / "peers")
    return {
        "SQLite alone": [peer, "floor", *paths],
        "this program, one worker": [*program, *paths],
        "`sqllogictest` crate": [peer, "sqllogictest", *paths],
        "Python's sqlite3, nothing compared": [sys.executable, str(ROOT / "scripts/peer_sqlite3.py"), *paths],
    }


def many_files(count: int) -> str:
    folder = SCRATCH / f"files-{count}"
    if not folder.exists():
        new = folder.with_suffix(".new")
        for number in range(count):
            part = new / f"{number // 1000:03}"
            part.mkdir(parents=True, exist_ok=True)
            (part / f"{number:06}.test").write_text(RECORD.format(number=number, next=number + 1))
        new.rename(folder)
    return str(folder)


def history(program: Path, examples: Path, runs: int) -> Path:
    folder = SCRATCH / f"history-{runs}"
    subprocess.run([examples / "history", folder, str(runs)], check=True, stdout=subprocess.DEVNULL)
    command = [program, "--no-config", "--results", folder, "store", "seal"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def after(program: Path, count: int) -> dict[str, list[str]]:
    """Commands in a folder with two runs of many files."""
    files = many_files(count)
    command = [str(program), "--no-config", "--results", str(SCRATCH / f"results-{count}")]
    run = [*command, "run", "--engine", "sqlite", "--quiet", "--no-progress"]
    for _ in range(2):
        subprocess.run([*run, files], check=True, stdout=subprocess.DEVNULL)
    # In this order, because `status` shows the last run.
    return {"`status`": [*command, "status"], "`run` of one file": [*run, str(Path(files) / "000" / "000000.test")]}


def measure(section: str, options: argparse.Namespace, program: Path, examples: Path, results: str) -> str:
    def run(*more: str) -> list[str]:
        return [str(program), "--no-config", "--results", results, *more]

    one = run("run", "--engine", "sqlite", "--workers", "1", "--quiet", "--no-progress")
    if section == "loop":
        paths = options.corpus or [str(ROOT / "suites")]
        of = ", ".join(f"`{Path(path).name}`" for path in paths)
        return f"Files: {of}.\n\n" + table(peers(one, examples, paths), options.rounds, "SQLite alone", results)
    if section == "files":
        paths = [many_files(options.files)]
        head = f"{options.files:,} files of two records.\n\n"
        return head + table(peers(one, examples, paths), options.rounds, "SQLite alone", results)
    if section == "after":
        commands = after(program, options.files)
        tables = (table({name: command}, options.rounds, None, results) for name, command in commands.items())
        rows = "\n".join([next(tables), *(one.splitlines()[-1] for one in tables)])
        return f"After two runs of {options.files:,} files of two records.\n\n{rows}"
    if section == "start":
        file = str(Path(many_files(options.files)) / "000" / "000000.test")
        commands = {"`--help`": run("--help"), "`test` of one file": run("test", "--engine", "sqlite", file)}
        return table(commands, options.rounds, None, results)
    folder = str(history(program, examples, options.history))
    query = [str(program), "--no-config", "--results", folder, "query", "--all", "--preset"]
    head = f"{options.history:,} runs of 622 files; VibeSQL and SQLite answer at the same time.\n\n"
    return head + table({f"`{name}`": [*query, name] for name in PRESETS}, options.rounds, None, results)


def circumstances(profile: str) -> str:
    """The machine without its name, and what was built."""
    def first(path: str, pattern: str, otherwise: str) -> str:
        try:
            found = re.search(pattern, Path(path).read_text(), re.M)
        except OSError:
            found = None
        return found[1].strip() if found else otherwise

    cpu = first("/proc/cpuinfo", r"^model name\s*:\s*(.*)$", platform.machine())
    kib = int(first("/proc/meminfo", r"^MemTotal:\s*(\d+)", "0"))
    dirty = " with changes" if output("git", "status", "--porcelain", "--untracked-files=no", "crates", "Cargo.lock") else ""
    facts = [
        f"{os.cpu_count()} cores of {cpu}",
        f"{kib / 2**20:.0f} GiB",
        f"{platform.system()} {platform.release().split('-')[0]}",
        output("rustc", "--version").split(" (")[0],
        f"Python {platform.python_version()}",
        f"profile `{profile}`",
        f"commit {output('git', 'rev-parse', '--short=8', 'HEAD')}{dirty}",
        str(datetime.datetime.now(datetime.timezone.utc).date()),
    ]
    load = os.getloadavg()[0]
    return ", ".join(facts) + f"; load before the measurement: {load:.1f}"


def put(page: str, section: str, figures: str) -> str:
    """The page with other figures in a section."""
    marked = re.compile(rf"(<!-- figures: {section} -->\n).*?(<!-- end -->)", re.S)
    if not marked.search(page):
        raise Failure(f"expected `<!-- figures: {section} -->` and `<!-- end -->` in {PAGE.name}, found neither")
    return marked.sub(lambda found: f"{found[1]}{figures}\n{found[2]}", page)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="loop, files, after, store, start (default: all)")
    parser.add_argument("--corpus", nargs="+", metavar="PATH", help="files and folders for `loop`")
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command (default: 15)")
    parser.add_argument("--files", type=int, default=10_000, help="files of `files` (default: 10000)")
    parser.add_argument("--history", type=int, default=1_000, help="runs of `store` (default: 1000)")
    parser.add_argument("--profile", default="release", help="the profile of cargo (default: release)")
    parser.add_argument("--no-build", action="store_true", help="use what is in `target`")
    parser.add_argument("--print", action="store_true", help="print the figures only")
    options = parser.parse_args()
    known = ["loop", "files", "after", "store", "start"]
    for section in options.sections:
        if section not in known:
            raise Failure(f"expected a section of {', '.join(known)}, found `{section}`")
    if not shutil.which("hyperfine"):
        raise Failure("expected `hyperfine` in PATH, found none\n  hint: cargo install hyperfine@1.20.0 --locked")
    if not options.no_build:
        build(options.profile)
    folder = ROOT / "target" / ("debug" if options.profile == "dev" else options.profile)
    program, examples = folder / "vibesql-sqllogictest", folder / "examples"
    for file in (program, examples / "peers", examples / "history"):
        if not file.exists():
            raise Failure(f"expected `{file.relative_to(ROOT)}`, found none; leave out --no-build")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    for section in options.sections or known:
        taken = circumstances(options.profile)
        with tempfile.TemporaryDirectory() as scratch:
            figures = f"{measure(section, options, program, examples, str(Path(scratch) / 'results'))}\n\nTaken on {taken}."
        if options.print:
            print(f"{section}\n\n{figures}\n")
        else:
            PAGE.write_text(put(PAGE.read_text(), section, figures))
            print(f"{section}: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except subprocess.CalledProcessError as failure:
        words = (failure.stderr or "").strip() if isinstance(failure.stderr, str) else ""
        sys.exit(f"error: cannot run `{Path(str(failure.cmd[0])).name}`: exit code {failure.returncode} {words}".rstrip())
