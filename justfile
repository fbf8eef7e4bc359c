# `just` without a word lists the recipes. CONTRIBUTING.md says when to use which.

# Everything but VibeSQL, which takes minutes to compile.
quick_crates := "--workspace --no-default-features --exclude '*-bench' --exclude '*-engine-vibesql' --exclude '*-store'"

_list:
    @just --list --unsorted

# All tests that need no VibeSQL: the daily loop.
quick *args:
    cargo test {{quick_crates}} {{args}}

# All tests. The packages around the sqllogictest crate are no default members (see Cargo.toml).
test *args:
    cargo test {{args}}
    cargo test -p vibesql-sqllogictest-compat {{args}}
    cargo test --manifest-path crates/sqllogictest/Cargo.toml {{args}}

# Formatting, and clippy without and with VibeSQL, whose check takes minutes once.
lint:
    cargo fmt --all --check
    cargo clippy -p vibesql-sqllogictest-core -- -D warnings
    cargo clippy {{quick_crates}} --all-targets -- -D warnings
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation with its private items.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# The pages in docs as a book: target/book (cargo install mdbook).
book:
    mdbook build

# Look at changed snapshots one by one and accept them (cargo install cargo-insta).
bless:
    cargo insta test --review {{quick_crates}}

# Speed of the parser, CPU time beside that of SQLite alone, drivers of sqllogictest, the queue, runs and simulated runs; SLT_CORPUS names other files.
bench:
    cargo bench -p vibesql-sqllogictest-bench

# Instructions of the hot paths against the recorded baseline; `just counts --accept` records them (Debian's package valgrind).
counts *args:
    cargo run --quiet --example instruction_counts -- {{args}}

# Whole processes beside peers; writes the figures of docs/performance.md (cargo install hyperfine@1.20.0). Words: loop files store start, --corpus PATH.
bench-e2e *args:
    scripts/bench_e2e.py {{args}}

# Kills runs at random moments and resumes them, or takes them into the store, so many times.
soak rounds="200":
    SLT_SOAK_ROUNDS={{rounds}} cargo test -p vibesql-sqllogictest --test it killed_at_any_moment

# Random input for a fuzz target: parser, executor, canonical or external (cargo install cargo-fuzz); see fuzz/README.md.
fuzz target="parser" seconds="60":
    RUSTC_BOOTSTRAP=1 cargo fuzz run {{target}} -- -max_total_time={{seconds}}

# Spelling, workflow, dependencies: the quick checks of the CI (pip install -r .ci/tools.txt; actionlint).
check:
    typos
    actionlint
    cargo deny check
    cargo shear --deny-warnings

# The declared `rust-version` builds (installs that toolchain).
msrv:
    .ci/msrv

# Program and tests compile for macOS, checked on Linux (installs rustup's target and, from PyPI, Zig as the C compiler).
macos:
    .ci/macos

# The public API against the newest release: is the next version number high enough? (cargo install cargo-semver-checks)
semver:
    cargo semver-checks --workspace

# Numbers about the source, now and at another commit.
measure commit="main":
    scripts/measure_source.py
    scripts/measure_source.py --rev {{commit}}

# What the CI does, in its order.
ci:
    .ci/run
