//! Test programs: each file of a pattern is a test of `cargo test`.

use std::path::Path;

pub use glob::glob;
pub use libtest_mimic::{Arguments, Failed, Trial, run};

use crate::connection::MakeConnection;
use crate::runner::Runner;

/// Defines the `main` of a test program without the built-in harness.
///
/// `$db_fn` is the path of a function that returns a new database, and `$pattern` the glob of its test files, relative to the
/// directory of the package.
#[macro_export]
macro_rules! harness {
    ($db_fn:path, $pattern:expr) => {
        fn main() {
            let paths = $crate::harness::glob($pattern).expect("cannot read the pattern of the test files");
            let tests = paths
                .map(|path| {
                    let path = path.expect("cannot read a directory of test files");
                    let name = path.to_string_lossy().into_owned();
                    $crate::harness::Trial::test(name, move || {
                        $crate::harness::test(path, || async { Ok($db_fn()) })
                    })
                })
                .collect();
            $crate::harness::run(&$crate::harness::Arguments::from_args(), tests).exit();
        }
    };
}

/// Runs a file as a test.
///
/// # Errors
///
/// The first failing record, as text.
pub fn test(filename: impl AsRef<Path>, make_conn: impl MakeConnection) -> Result<(), Failed> {
    let mut runner = Runner::new(make_conn);
    let result = runner.run_file(filename);
    runner.shutdown();
    Ok(result?)
}
