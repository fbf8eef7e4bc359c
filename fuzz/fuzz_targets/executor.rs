//! Every record of any script ends in one outcome, and the counts add up.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vibesql_sqllogictest_fuzz::execution::check(bytes));
