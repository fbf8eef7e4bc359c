//! Any value renders as one printable line, in any column and order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vibesql_sqllogictest_fuzz::rendering::{self, Table};

fuzz_target!(|table: Table<'_>| rendering::check(&table));
