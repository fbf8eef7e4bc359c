//! New records at the end of a file.

use crate::location::Source;
use crate::parser::{Record, Script, parse};

/// A text with a new record at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendedRecord {
    /// The text.
    pub text: Vec<u8>,
    /// The line of the new header.
    pub line: u32,
}

/// Appends a record with this header and SQL, and the separator of a result on request. Blank lines of the SQL are left
/// out, because they would end it. `None` if the file cannot take the record: another one would change, or the SQL would
/// be read as something else.
pub fn append_record(
    script: &Script<'_>,
    header: &str,
    sql: &str,
    has_result: bool,
) -> Option<AppendedRecord> {
    let bytes = script.source.bytes();
    let end = if bytes.split(|&byte| byte == b'\n').next()?.ends_with(b"\r") { "\r\n" } else { "\n" };
    let sql: Vec<&str> = sql.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let lines = [header].into_iter().chain(sql.iter().copied()).chain(has_result.then_some("----"));
    let record: String = lines.flat_map(|line| [line, end]).collect();
    let mut before = bytes.to_vec();
    if !before.is_empty() && !before.ends_with(b"\n") {
        before.extend_from_slice(end.as_bytes());
    }
    let last = before.strip_suffix(b"\n").and_then(|text| text.rsplit(|&byte| byte == b'\n').next());
    let is_separate = last.is_none_or(|line| line.trim_ascii().is_empty());
    // An expected error of several lines ends with two empty lines.
    for blank_lines in if is_separate { 0..=1 } else { 1..=2 } {
        let text = [before.as_slice(), end.repeat(blank_lines).as_bytes(), record.as_bytes()].concat();
        let source = Source::new(script.source.name(), text);
        if let Some(line) = new_record(script, &parse(&source, script.profile), &sql.join("\n")) {
            return Some(AppendedRecord { text: source.bytes().to_vec(), line });
        }
    }
    None
}

/// Returns the line of the last record of `longer`, if it has this SQL and all records before it are those of `script`.
fn new_record(script: &Script<'_>, longer: &Script<'_>, sql: &str) -> Option<u32> {
    let mut new = longer.records();
    let text = |script: &Script<'_>, record: &Record<'_>| script.source.bytes()[record.span.clone()].to_vec();
    let is_kept = |old: &Record<'_>, new: &Record<'_>| {
        let (old, new) = (text(script, old), text(longer, new));
        old.trim_ascii_end() == new.trim_ascii_end()
    };
    if !script.records().all(|old| new.next().is_some_and(|new| is_kept(old, new))) {
        return None;
    }
    let (last, none) = (new.next()?, new.next());
    let is_right = none.is_none() && last.defect.is_none() && last.conditions.is_empty();
    let is_sql = last.sql().is_some_and(|found| *found.joined() == *sql.as_bytes());
    (is_right && is_sql).then_some(last.line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::profile;

    fn check(dialect: &str, text: &str, sql: &str, expected: Option<(&str, u32)>) {
        let source = Source::new("t.test", text);
        let script = parse(&source, profile(dialect, false).unwrap());
        let found = append_record(&script, "statement ok", sql, false);
        let expected = expected.map(|(text, line)| AppendedRecord { text: text.into(), line });
        assert_eq!(found, expected, "{dialect}: {text:?}");
    }

    #[test]
    fn a_new_record_changes_no_other() {
        check("sqlite", "", "A", Some(("statement ok\nA\n", 1)));
        check("sqlite", "halt", "A\n\nB;\n", Some(("halt\n\nstatement ok\nA\nB;\n", 3)));
        check("sqlite", "halt\r\n\r\n", "A", Some(("halt\r\n\r\nstatement ok\r\nA\r\n", 3)));
        check("sqlite", "# only a comment\n", "A", Some(("# only a comment\n\nstatement ok\nA\n", 3)));
        check(
            "rs",
            "statement error\nX\n----\nm\n",
            "A",
            Some(("statement error\nX\n----\nm\n\n\nstatement ok\nA\n", 7)),
        );
        check("sqlite", "", "A\nquery I nosort\nB", None);
        check("sqlite", "onlyif x\n", "A", Some(("onlyif x\n\nstatement ok\nA\n", 3)));
    }
}
