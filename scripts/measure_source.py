#!/usr/bin/env python3
"""Measures the source of this repository: size, names, cycles between files, comments, commit subjects.

    scripts/measure_source.py                         the checkout that the script is in
    scripts/measure_source.py --rev COMMIT            a commit of it
    scripts/measure_source.py --commits A..B          also the subjects of these commits
    scripts/measure_source.py --list                  also each shared type name, cycle and long function

All numbers are of `src` of the crates that are published. Crates with `publish = false` (benchmarks, evaluations)
are counted separately. Except in the first line of the table, tests do not count: files named `tests.rs` or in a
folder `tests`, and items behind `#[cfg(test)]`.

A cycle is a set of files of one crate that use each other, directly or through others (a strongly connected
component with more than one file). A use is a path that starts with `crate`, `self` or `super`; it counts for the
file that defines the item, not for files that re-export it. Uses between a module and the modules below it do not
count: a parent may share its vocabulary with its children.
"""

from __future__ import annotations

import argparse
import collections
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_SUBJECT = 72
LONGEST_FUNCTION = 100

# Words that may stand before an item.
VISIBILITY = r"(?:pub(?:\s*\([^)]*\))?\s+)?"
TYPE = re.compile(rf"^\s*{VISIBILITY}(?:unsafe\s+)?(?:struct|enum|union|trait)\s+(\w+)", re.M)
ITEM = re.compile(
    rf"^{VISIBILITY}(?:(?:const|async|unsafe|extern(?:\s+\"\")?)\s+)*"
    r"(?:struct|enum|union|trait|type|fn|static|const|macro_rules!|mod)\s+(?:mut\s+)?(\w+)",
    re.M,
)
FUNCTION = re.compile(r"\bfn\s+(\w+)")
MODULE_LINE = re.compile(rf"^\s*{VISIBILITY}mod\s+(\w+)\s*;", re.M)
USE = re.compile(rf"(?<![\w:])({VISIBILITY})use\s+([^;]+);")
PATH = re.compile(r"(?<![\w:$])(?:crate|self|super)(?:\s*::\s*\w+)+")
RESTRICTED = re.compile(r"\bpub\s*\(\s*(?:crate|super|in\s[^)]*)\s*\)")
FEATURE = re.compile(r"^.*\bcfg(?:_attr|!)?\(.*\bfeature\s*=", re.M)


# ---------------------------------------------------------------------------------------------- Rust text


def without_comments_and_strings(text: str) -> str:
    """The text with comments removed and the contents of string and character literals emptied.

    Line breaks stay, so that line numbers stay true.
    """
    token = re.compile(
        r"//[^\n]*"
        r"|/\*"
        r"|\bb?r(?P<hashes>#*)\".*?\"(?P=hashes)"
        r"|b?\"(?:[^\"\\]|\\.)*\""
        r"|b?'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x[0-9a-fA-F]{2}|.))'",
        re.S,
    )
    kept: list[str] = []
    at = 0
    while found := token.search(text, at):
        kept.append(text[at : found.start()])
        at = found.end()
        if found.group() == "/*":
            at = end_of_block_comment(text, at)
            replacement = ""
        elif found.group().startswith("//"):
            replacement = ""
        else:
            replacement = "''" if found.group().endswith("'") else '""'
        kept.append(replacement + "\n" * text.count("\n", found.start(), at))
    kept.append(text[at:])
    return "".join(kept)


def end_of_block_comment(text: str, at: int) -> int:
    """Where the block comment ends whose first mark ends at `at`; block comments nest."""
    depth = 1
    for mark in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return at + mark.end()
    return len(text)


def end_of_item(code: str, at: int) -> int:
    """The end of the item that begins at `at`: its closing brace, or its semicolon if it has no body."""
    depth = 0
    for mark in re.finditer(r"[{}()\[\];]", code[at:]):
        if mark.group() in "{([":
            depth += 1
        elif mark.group() in "})]":
            depth -= 1
            if depth == 0 and mark.group() == "}":
                return at + mark.end()
        elif depth == 0:
            return at + mark.end()
    return len(code)


def without_tests(code: str) -> str:
    """The code without the items behind `#[cfg(test)]`; their lines become empty."""
    attribute = re.compile(r"#\[cfg\((?:all\()?test\b[^\]]*\]")
    while found := attribute.search(code):
        end = end_of_item(code, found.end())
        code = code[: found.start()] + "\n" * code.count("\n", found.start(), end) + code[end:]
    return code


def paths_of_use(tree: str) -> list[list[str]]:
    """The paths of a `use` tree: `a::{b, c as d}` has `a::b` and `a::c`. A glob ends in `*`."""
    tree = tree.strip()
    brace = tree.find("{")
    if brace < 0:
        path = re.split(r"\s+as\s+", tree)[0]
        return [[part.strip() for part in path.split("::")]] if path else []
    prefix = [part.strip() for part in tree[:brace].rstrip().removesuffix("::").split("::") if part.strip()]
    paths = []
    depth, start = 0, brace + 1
    for at in range(brace + 1, len(tree)):
        if tree[at] == "{":
            depth += 1
        elif tree[at] == "}" and depth > 0:
            depth -= 1
        elif tree[at] in ",}" and depth == 0:
            for rest in paths_of_use(tree[start:at]):
                paths.append(prefix + ([] if rest == ["self"] else rest))
            start = at + 1
    return paths


# ---------------------------------------------------------------------------------------------- files and crates


@dataclass
class SourceFile:
    path: Path
    module: tuple[str, ...]
    text: str
    code: str = ""
    """Without comments, literals and tests; lines are where they were."""
    items: set[str] = field(default_factory=set)
    """Items that the file defines at its top level."""
    re_exports: dict[str, list[str]] = field(default_factory=dict)
    """Names that the file takes from elsewhere, with their path; children can name them, too."""
    globs: list[list[str]] = field(default_factory=list)

    @property
    def is_test(self) -> bool:
        return self.path.name == "tests.rs" or "tests" in self.module

    def lines(self) -> int:
        return self.text.count("\n")

    def first_line_of_tests(self) -> int:
        """The number of lines before the tests at the end of the file."""
        found = re.search(r"^#\[cfg\((?:all\()?test\b[^\n]*\n(?:#\[[^\n]*\n)*mod \w+ \{", self.text, re.M)
        return self.text.count("\n", 0, found.start()) if found else self.lines()


@dataclass
class Crate:
    name: str
    published: bool
    files: list[SourceFile]

    def sources(self) -> list[SourceFile]:
        return [file for file in self.files if not file.is_test]


def read_crates(root: Path) -> list[Crate]:
    manifests = sorted((root / "crates").glob("**/Cargo.toml"))
    crates = []
    for manifest in manifests:
        source = manifest.parent / "src"
        text = manifest.read_text(encoding="utf-8")
        name = re.search(r'^name\s*=\s*"([^"]+)"', text, re.M)
        if name and source.is_dir() and "target" not in manifest.relative_to(root).parts:
            published = not re.search(r"^publish\s*=\s*false", text, re.M)
            crates.append(Crate(name.group(1), published, read_files(source)))
    return crates


def read_files(source: Path) -> list[SourceFile]:
    files = []
    for path in sorted(source.rglob("*.rs")):
        below = path.relative_to(source)
        parts = below.with_suffix("").parts
        if parts[-1] in ("mod", "lib", "main"):
            parts = parts[:-1]
        file = SourceFile(path, tuple(parts), path.read_text(encoding="utf-8"))
        file.code = without_tests(without_comments_and_strings(file.text))
        files.append(file)
    return files


# ---------------------------------------------------------------------------------------------- cycles


class Uses:
    """Which file of a crate uses which."""

    def __init__(self, crate: Crate):
        # `bin/*.rs` are crates of their own.
        self.modules = {file.module: file for file in crate.sources() if file.module[:1] != ("bin",)}
        self.edges: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for file in self.modules.values():
            self.read_names(file)
        for file in self.modules.values():
            self.edges[file.module] = self.targets(file)

    def read_names(self, file: SourceFile) -> None:
        child_modules = set(MODULE_LINE.findall(file.code))
        file.items = set(ITEM.findall(file.code)) - child_modules
        for use in USE.finditer(file.code):
            for path in paths_of_use(use.group(2)):
                if path[-1] == "*":
                    file.globs.append(path[:-1])
                else:
                    file.re_exports[path[-1]] = path
            for path, name in re.findall(r"([\w:]+)\s+as\s+(\w+)", use.group(2)):
                # The path of an alias within braces is relative to them; the last part is enough to find it.
                original = path.split("::")[-1]
                if original in file.re_exports:
                    file.re_exports[name] = file.re_exports[original]

    def targets(self, file: SourceFile) -> set[tuple[str, ...]]:
        paths = [path for use in USE.findall(file.code) for path in paths_of_use(use[1])]
        # `pub(in crate::a)` is no use of `crate::a`.
        code = RESTRICTED.sub("", USE.sub("", file.code))
        paths += [[part.strip() for part in path.split("::")] for path in PATH.findall(code)]
        targets = {self.resolve(file.module, path) for path in paths}
        return {target for target in targets if target is not None and not related(file.module, target)}

    def resolve(
        self, module: tuple[str, ...], path: list[str], seen: frozenset = frozenset()
    ) -> tuple[str, ...] | None:
        """The module whose file defines what `path` leads to from `module`; None for other crates."""
        if (module, tuple(path)) in seen:
            return None
        seen = seen | {(module, tuple(path))}
        rest = list(path)
        if rest[0] == "crate":
            module, rest = (), rest[1:]
        elif rest[0] in ("self", "super"):
            while rest and rest[0] in ("self", "super"):
                module = module[:-1] if rest[0] == "super" else module
                rest = rest[1:]
        elif module + (rest[0],) not in self.modules:
            return None
        for at, name in enumerate(rest):
            if module + (name,) in self.modules:
                module += (name,)
                continue
            return self.defining(module, name, rest[at + 1 :], seen)
        return module if module in self.modules else None

    def defining(
        self, module: tuple[str, ...], name: str, rest: list[str], seen: frozenset
    ) -> tuple[str, ...] | None:
        """The module that defines `name`, which `module` has or takes from elsewhere."""
        file = self.modules.get(module)
        if file is None:
            return None
        if name in file.items or name == "*":
            return module
        if name in file.re_exports:
            return self.resolve(module, file.re_exports[name] + rest, seen)
        for glob in file.globs:
            target = self.resolve(module, glob + [name], seen)
            if target is not None:
                return target
        return module

    def cycles(self) -> list[list[tuple[str, ...]]]:
        return [sorted(part) for part in strongly_connected(self.edges) if len(part) > 1]


def related(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the modules are the same, or one is above the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def strongly_connected(edges: dict) -> list[set]:
    """Tarjan's algorithm, without recursion."""
    order: dict = {}
    low: dict = {}
    stack: list = []
    waiting: set = set()
    components: list[set] = []
    for root in edges:
        if root in order:
            continue
        order[root] = low[root] = len(order)
        stack.append(root)
        waiting.add(root)
        work = [(root, iter(sorted(edges[root])))]
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in order:
                    order[successor] = low[successor] = len(order)
                    stack.append(successor)
                    waiting.add(successor)
                    work.append((successor, iter(sorted(edges.get(successor, ())))))
                    break
                if successor in waiting:
                    low[node] = min(low[node], order[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    component = set()
                    while node not in component:
                        component.add(stack.pop())
                    waiting -= component
                    components.append(component)
    return components


# ---------------------------------------------------------------------------------------------- the table


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def long_functions(file: SourceFile) -> list[tuple[str, int]]:
    found = []
    for function in FUNCTION.finditer(file.code):
        end = end_of_item(file.code, function.end())
        lines = file.code.count("\n", function.start(), end) + 1
        if lines > LONGEST_FUNCTION:
            found.append((function.group(1), lines))
    return found


def shared_names(types: list[tuple[str, str]]) -> dict[str, list[str]]:
    places = collections.defaultdict(list)
    for name, place in types:
        places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def subjects(root: Path, commits: str) -> list[str]:
    log = git(root, "log", "--no-merges", "--format=%s", commits)
    return log.decode("utf-8", "replace").splitlines()


def git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, stdout=subprocess.PIPE).stdout


def module_name(module: tuple[str, ...]) -> str:
    return "::".join(("crate", *module))


def report(root: Path, commits: str | None, commits_root: Path, with_lists: bool) -> None:
    all_crates = read_crates(root)
    crates = [crate for crate in all_crates if crate.published]
    files = [file for crate in crates for file in crate.sources()]
    rows: list[tuple[str, str]] = []
    lists: list[str] = []

    rows.append(("lines of src", str(sum(file.lines() for crate in crates for file in crate.files))))
    rows.append(("lines of src without tests", str(sum(file.first_line_of_tests() for file in files))))
    for crate in all_crates:
        note = "" if crate.published else " (not published, not counted)"
        rows.append((f"  {crate.name}", f"{sum(file.lines() for file in crate.files)}{note}"))
    rows.append(("files without tests", str(len(files))))
    mean = sum(file.first_line_of_tests() for file in files) / max(1, len(files))
    rows.append(("mean lines of a file", f"{mean:.0f}"))

    types = [(name, crate, file) for crate in crates for file in crate.sources() for name in TYPE.findall(file.code)]
    everywhere = shared_names([(name, f"{crate.name}: {module_name(file.module)}") for name, crate, file in types])
    count = sum(map(len, everywhere.values()))
    rows.append(("types", str(len(types))))
    rows.append(("types that share their name", f"{count} ({percent(count, len(types))})"))
    within = 0
    for crate in crates:
        names = [(name, module_name(file.module)) for name, of, file in types if of is crate]
        within += sum(map(len, shared_names(names).values()))
    rows.append(("  within their crate", f"{within} ({percent(within, len(types))})"))
    for name, places in sorted(everywhere.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        lists.append(f"type name {name} ×{len(places)}: {', '.join(places)}")

    cycles = [(crate, cycle) for crate in crates for cycle in Uses(crate).cycles()]
    rows.append(("cycles between files", str(len(cycles))))
    rows.append(("files in cycles", str(sum(len(cycle) for _, cycle in cycles))))
    for crate, cycle in cycles:
        lists.append(f"cycle in {crate.name}: {', '.join(module_name(module) for module in cycle)}")

    # Features are named in strings, which `code` has no longer.
    feature_lines = sum(len(FEATURE.findall(file.text)) for file in files)
    rows.append(("lines with cfg(feature)", str(feature_lines)))
    rows.append(("pub(crate), pub(super), pub(in)", str(sum(len(RESTRICTED.findall(file.code)) for file in files))))
    long = [(file, *function) for file in files for function in long_functions(file)]
    rows.append((f"functions over {LONGEST_FUNCTION} lines", str(len(long))))
    for file, name, length in long:
        lists.append(f"function {name} in {file.path.relative_to(root)}: {length} lines")

    lines = sum(file.lines() for file in files)
    comments = sum(len(re.findall(r"^\s*//(?![/!])", file.text, re.M)) for file in files)
    documentation = sum(len(re.findall(r"^\s*//[/!]", file.text, re.M)) for file in files)
    rows.append(("lines of comment (//)", f"{comments} ({percent(comments, lines)})"))
    rows.append(("lines of documentation (///, //!)", f"{documentation} ({percent(documentation, lines)})"))

    if commits:
        found = subjects(commits_root, commits)
        long_subjects = [subject for subject in found if len(subject) > LONGEST_SUBJECT]
        share = percent(len(long_subjects), len(found))
        rows.append((f"commits in {commits}, without merges", str(len(found))))
        rows.append((f"subjects over {LONGEST_SUBJECT} characters", f"{len(long_subjects)} ({share})"))

    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    if with_lists:
        print()
        print("\n".join(lists))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("--root", type=Path, default=here, help="the checkout to measure (default: the script's own)")
    parser.add_argument("--rev", metavar="COMMIT", help="a commit of the checkout instead of its files")
    parser.add_argument("--commits", metavar="A..B", help="measure the subjects of these commits, too")
    parser.add_argument("--list", action="store_true", help="list shared type names, cycles and long functions")
    arguments = parser.parse_args()
    if arguments.rev is None:
        report(arguments.root, arguments.commits, arguments.root, arguments.list)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        archive = git(arguments.root, "archive", arguments.rev, "crates")
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        report(Path(folder), arguments.commits, arguments.root, arguments.list)
    return 0


if __name__ == "__main__":
    sys.exit(main())
