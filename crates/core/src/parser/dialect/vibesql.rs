//! The dialect of the fork of sqllogictest-rs 0.28 in VibeSQL.

use super::rs::{RsFlavor, read};
use super::{Matcher, Profile, RS, RS_EXACT, Renderer};

const FLAVOR: RsFlavor =
    RsFlavor { has_let: false, cuts_comments: true, headers_end_sql: true, has_engine_modes: true };

/// The dialect of the fork of sqllogictest-rs in VibeSQL, strict.
pub static VIBESQL: Profile = Profile {
    name: "vibesql",
    read_record: |reader, line| read(reader, line, &FLAVOR),
    indented_comments: true,
    renderer: Renderer::Vibesql,
    matcher: Matcher::Vibesql,
    default_threshold: 8,
    ..RS
};

/// The dialect of the fork of sqllogictest-rs in VibeSQL, exactly as its own runner reads it.
pub static VIBESQL_EXACT: Profile = Profile {
    name: "vibesql",
    read_record: |reader, line| read(reader, line, &FLAVOR),
    indented_comments: true,
    renderer: Renderer::Vibesql,
    matcher: Matcher::Vibesql,
    default_threshold: 8,
    ..RS_EXACT
};
