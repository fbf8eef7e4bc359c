//! Measures the parser of each dialect: `cargo run --release -p vibesql-sqllogictest-core --example parse_speed`.
//!
//! Each dialect reads 50 MB of generated records that are usual in it: in files of the size that public trees have, and in
//! one file, whose records take more memory than the caches of a processor have. A record has 230 bytes, as in the trees of
//! CockroachDB and Materialize (230 and 260); those of DataFusion and DuckDB have 300 and 390. `DIALECT PATH…` measures
//! files, and all files in directories, instead.

#![expect(clippy::print_stdout, reason = "shows what has been measured")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use slt_core::location::Source;
use slt_core::parser::{COCKROACH, DUCKDB, MATERIALIZE, Profile, RS, SQLITE, VIBESQL, parse, profile};

const SIZE: usize = 50_000_000;
const FILE_SIZE: usize = 20_000;
const RUNS: usize = 7;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    if let Some(dialect) = arguments.next() {
        let profile = profile(&dialect, false).map_err(io::Error::other)?;
        let mut sources = Vec::new();
        for path in arguments {
            read(Path::new(&path), &mut sources)?;
        }
        measure(profile.name, &sources, profile);
        return Ok(());
    }
    for profile in [&SQLITE, &RS, &VIBESQL, &DUCKDB, &COCKROACH, &MATERIALIZE] {
        let mut numbers = Numbers(7);
        for size in [FILE_SIZE, SIZE] {
            let mut source = || Source::new("generated.test", generate(profile.name, size, &mut numbers));
            let sources: Vec<Source> = (0..SIZE / size).map(|_| source()).collect();
            for script in sources.iter().map(|source| parse(source, profile)) {
                let malformed = script.records().find(|record| record.defect.is_some());
                assert!(malformed.is_none(), "{}: {malformed:?}", profile.name);
            }
            measure(profile.name, &sources, profile);
        }
    }
    Ok(())
}

/// Reads a file, or all files in a directory.
fn read(path: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    if path.is_dir() {
        std::fs::read_dir(path)?.try_for_each(|entry| read(&entry?.path(), sources))
    } else {
        sources.push(Source::new(path.to_string_lossy(), std::fs::read(path)?));
        Ok(())
    }
}

/// Shows the fastest of several runs.
fn measure(name: &str, sources: &[Source], profile: &'static Profile) {
    let bytes: usize = sources.iter().map(|source| source.bytes().len()).sum();
    let mut records = 0;
    let mut fastest = Duration::MAX;
    for _ in 0..RUNS {
        let start = now();
        records = sources.iter().map(|source| black_box(parse(source, profile)).total()).sum::<u64>();
        fastest = fastest.min(start.elapsed());
    }
    let speed = bytes as f64 / fastest.as_secs_f64() / 1e6;
    let record = bytes as f64 / records.max(1) as f64;
    println!(
        "{name:<12} {speed:>6.0} MB/s  {:>5.1} MB in {:>5} files, {records:>9} records of {record:.0} bytes",
        bytes as f64 / 1e6,
        sources.len()
    );
}

#[expect(clippy::disallowed_methods, reason = "the time is what is measured")]
fn now() -> Instant {
    Instant::now()
}

/// A pseudorandom number generator, for the same file in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Writes a file of the dialect.
fn generate(dialect: &str, size: usize, numbers: &mut Numbers) -> String {
    let mut text = String::with_capacity(size + 10_000);
    while text.len() < size {
        match numbers.below(20) {
            0 => text += "# The values below come from the specification.\n# See the manual, section 3.\n\n",
            1..=4 => text += &statement(numbers),
            5 => text += error(dialect, numbers.below(4) == 0),
            6 => text += special(dialect),
            7 => text += "skipif other\nstatement ok\nDROP TABLE t1\n\n",
            _ => text += &query(dialect, numbers),
        }
    }
    text
}

fn statement(numbers: &mut Numbers) -> String {
    let (a, b) = (numbers.below(1000), numbers.below(1_000_000));
    format!("statement ok\nINSERT INTO t{a}(a, b, c, d, e) VALUES ({a}, {b}, 'some text', NULL, 1.5)\n\n")
}

fn query(dialect: &str, numbers: &mut Numbers) -> String {
    let rows = 1 + numbers.below(20);
    let a = numbers.below(1000);
    let mut text = format!(
        "query IT rowsort\nSELECT a, b + {a},\n       (SELECT count(*) FROM t1 AS x WHERE x.b < t1.b)\n  FROM t1\n WHERE a > {a} OR (c BETWEEN 3 AND 70 AND d IS NOT NULL)\n ORDER BY 1, 2\n----\n"
    );
    for row in 0..rows {
        let between = match dialect {
            "sqlite" | "materialize" => "\n",
            "duckdb" => "\t",
            _ => " ",
        };
        writeln!(text, "{row}{between}value{}", numbers.below(100_000)).ok();
    }
    text.push('\n');
    text
}

fn error(dialect: &str, is_pattern: bool) -> &'static str {
    match dialect {
        "sqlite" => "statement error\nSELECT * FROM missing\n\n",
        "rs" | "vibesql" if !is_pattern => {
            "statement error no such table: missing\nSELECT * FROM missing\n\n"
        }
        "rs" | "vibesql" => "statement error no such table: [a-z]+\nSELECT * FROM missing\n\n",
        "duckdb" => {
            "statement error\nSELECT * FROM missing\n----\nTable with name missing does not exist!\n\n"
        }
        "cockroach" => {
            "statement error pgcode 42P01 relation \"missing\" does not exist\nSELECT * FROM missing\n\n"
        }
        _ => "query error unknown catalog item 'missing'\nSELECT * FROM missing\n\n",
    }
}

/// A record that the dialect alone has.
fn special(dialect: &str) -> &'static str {
    match dialect {
        "sqlite" => "hash-threshold 8\n\n",
        "rs" => "connection other\nstatement count 1\nDELETE FROM t1\n\ncontrol sortmode rowsort\n\n",
        "vibesql" => "connection other\nstatement count 1\nDELETE FROM t1\n\n",
        "duckdb" => {
            "loop i 0 10\n\nstatement ok\nINSERT INTO t1 VALUES (${i})\n\nendloop\n\nforeach x a b c\n\nstatement ok\nSELECT '${x}'\n\nendloop\n\n"
        }
        "cockroach" => "let $x\nSELECT max(a) FROM t1\n\nuser root\n\nsubtest more\n\n",
        _ => "simple\nSELECT 1; SELECT 2\n----\n1\nCOMPLETE 1\n2\nCOMPLETE 1\n\n",
    }
}
