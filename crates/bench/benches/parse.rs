//! Parsing speed in MB/s, beside the parser of the `sqllogictest` crate on the files that it can read.
//!
//! `cargo bench -p vibesql-sqllogictest-bench --bench parse`

use std::hint::black_box;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::BytesCount;
use sqllogictest::DefaultColumnType;
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::parser::{SQLITE, parse};
use vibesql_sqllogictest_bench::files;

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let files = files().unwrap_or_default();
    files.iter().filter_map(|file| Some(Source::new(file.shown.as_str(), file.read().ok()?))).collect()
});

/// The files that the other parser accepts, as the text it wants.
static READABLE: LazyLock<Vec<(&'static Source, &'static str)>> = LazyLock::new(|| {
    let texts = SOURCES.iter().filter_map(|source| Some((source, std::str::from_utf8(source.bytes()).ok()?)));
    texts.filter(|(_, text)| sqllogictest::parse::<DefaultColumnType>(text).is_ok()).collect()
});

fn main() {
    divan::main();
}

fn bytes<'s>(sources: impl IntoIterator<Item = &'s Source>) -> BytesCount {
    BytesCount::new(sources.into_iter().map(|source| source.bytes().len()).sum::<usize>())
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn all_files(bencher: Bencher<'_, '_>) {
    bencher.counter(bytes(SOURCES.iter())).bench(|| {
        for source in SOURCES.iter() {
            black_box(parse(source, &SQLITE));
        }
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn files_both_read(bencher: Bencher<'_, '_>) {
    bencher.counter(bytes(READABLE.iter().map(|(source, _)| *source))).bench(|| {
        for (source, _) in READABLE.iter() {
            black_box(parse(source, &SQLITE));
        }
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn files_both_read_by_the_sqllogictest_crate(bencher: Bencher<'_, '_>) {
    bencher.counter(bytes(READABLE.iter().map(|(source, _)| *source))).bench(|| {
        for (_, text) in READABLE.iter() {
            drop(black_box(sqllogictest::parse::<DefaultColumnType>(text)));
        }
    });
}
