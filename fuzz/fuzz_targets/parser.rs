//! The first byte chooses the dialect. Any bytes behind it are a script, and the script is those bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vibesql_sqllogictest_fuzz::text::check_chosen(bytes));
