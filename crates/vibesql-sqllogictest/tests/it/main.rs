//! Tests through the public faces: the library as an embedder has it, and the program as a user has it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounting;
mod add_cmd;
mod analysis_cmd;
#[cfg(feature = "store")]
mod ask;
mod bisect;
mod book;
mod browser;
mod c_driver;
mod capabilities;
mod check;
mod checkouts;
mod closing_list;
mod compare;
mod compare_changed;
mod compatibility;
#[cfg(feature = "store")]
mod compressed;
mod concurrent;
mod configuration;
mod conformance;
mod corpus;
mod coverage_cmd;
mod dialect_runs;
mod dialect_suite;
mod dialects;
mod duckdb;
#[cfg(feature = "store")]
mod dump;
mod engine_stderr;
mod events;
mod expectation_files;
mod expectations;
mod external;
mod external_requests;
mod format_cmd;
mod found_files;
#[cfg(feature = "store")]
mod generated;
#[cfg(feature = "store")]
mod histories;
mod history;
mod honesty;
mod identity;
mod import;
mod import_lists;
mod import_says;
mod import_text;
mod injected;
mod isolation;
mod journal;
mod journal_index;
mod json_report;
mod kept;
mod last_outcomes;
mod limits;
mod migration;
mod mysql;
mod mysql_sessions;
mod output_dir;
mod output_files;
// One of the statuses is OOM, which only Linux tells.
#[cfg(target_os = "linux")]
mod own_reports;
mod portable;
mod postgres;
mod project;
mod punchlist_cmd;
#[cfg(feature = "store")]
mod queries;
#[cfg(feature = "store")]
mod query_cmd;
#[cfg(feature = "store")]
mod query_formats;
#[cfg(feature = "store")]
mod query_shell;
#[cfg(feature = "store")]
mod questions;
mod queue;
mod reports;
mod reports_page;
mod resume;
mod run_cmd;
mod run_end;
mod run_words;
mod sandbox;
// The program `script` makes a terminal, with options that only Linux has.
#[cfg(target_os = "linux")]
mod screen;
mod selection;
mod servers;
mod shards;
mod sharing;
mod shell_cmd;
mod shell_terminal;
mod slices;
mod statement_times;
#[cfg(feature = "store")]
mod store;
#[cfg(feature = "store")]
mod store_damage;
#[cfg(feature = "store")]
mod store_kills;
#[cfg(feature = "store")]
mod store_model;
#[cfg(feature = "store")]
mod store_processes;
mod strict;
mod suite;
mod support;
mod test_cmd;
mod timings;
mod trends;
mod update;
mod update_cmd;
mod usage;
#[cfg(feature = "engine-vibesql")]
mod vibesql;
mod visible;
mod watch;
mod workers;
mod workflow;
