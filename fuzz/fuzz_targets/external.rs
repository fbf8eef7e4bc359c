//! The messages of a driver do not depend on how its bytes arrive, and none has two meanings.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, Vec<u8>, &[u8])| {
    let (lines, chunks, bytes) = input;
    vibesql_sqllogictest_fuzz::protocol::check(bytes, &chunks, lines);
});
