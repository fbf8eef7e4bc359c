//! New records at the end of a file.

use std::ops::Range;

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

/// A reason why a file cannot take a new record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendRefusal {
    /// Another record would change, or the SQL would be read as something else.
    ReadsOtherwise,
    /// A blank line, which would end the record, is a part of a string, of a quoted name or of a quoted body.
    BlankLineInLiteral,
    /// A line within a string ends with a CR, which would be read as a part of the line end.
    CrInLiteral,
}

/// Appends a record with this header and SQL, and the separator of a result on request. Blank lines between the words of
/// the SQL are left out, because they would end it.
///
/// # Errors
///
/// [`AppendRefusal`], when the file cannot take the record.
pub fn append_record(
    script: &Script<'_>,
    header: &str,
    sql: &str,
    has_result: bool,
) -> Result<AppendedRecord, AppendRefusal> {
    let bytes = script.source.bytes();
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let end = if first.ends_with(b"\r") { "\r\n" } else { "\n" };
    let sql = sql_lines(sql)?;
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
            return Ok(AppendedRecord { text: source.bytes().to_vec(), line });
        }
    }
    Err(AppendRefusal::ReadsOtherwise)
}

/// Returns the lines of SQL without those that are blank, and without white space at their ends. Within a literal
/// everything stays.
fn sql_lines(sql: &str) -> Result<Vec<&str>, AppendRefusal> {
    // The dialects of SQL differ in what a backslash means.
    let literals = [literals(sql, false), literals(sql, true)];
    let (mut lines, mut at) = (Vec::new(), 0);
    for whole in sql.split_inclusive('\n') {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let (start, end) = (at, at + line.len());
        at += whole.len();
        let within = |place: usize| {
            literals.iter().any(|literals| {
                let next = literals.partition_point(|literal| literal.end <= place);
                literals.get(next).is_some_and(|literal| literal.start < place)
            })
        };
        let is_blank = line.trim().is_empty();
        if is_blank && (within(start) || within(end)) {
            return Err(AppendRefusal::BlankLineInLiteral);
        }
        match within(end) {
            true if line.ends_with('\r') => return Err(AppendRefusal::CrInLiteral),
            true => lines.push(line),
            false if !is_blank => lines.push(line.trim_end()),
            false => {}
        }
    }
    Ok(lines)
}

/// Returns the places of strings, quoted names and bodies between dollar signs. A string without an end goes on to the end
/// of the SQL. A backslash may protect the character behind it.
fn literals(sql: &str, has_escapes: bool) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let behind = |from: usize, end: &str| {
            rest[from..].find(end).map_or(sql.len(), |place| at + from + place + end.len())
        };
        let end = match first {
            '\'' | '"' if has_escapes => at + escaped_end(rest),
            '\'' | '"' | '`' => behind(1, &rest[..1]),
            '$' => match dollar_tag(rest) {
                Some(tag) => behind(tag.len(), tag),
                None => at,
            },
            '-' if rest.starts_with("--") => {
                at = behind(2, "\n");
                continue;
            }
            '/' if rest.starts_with("/*") => {
                at = behind(2, "*/");
                continue;
            }
            _ => at,
        };
        if end > at {
            found.push(at..end);
            at = end;
        } else {
            at += first.len_utf8();
        }
    }
    found
}

/// Returns the length of the quoted text at the start of a text, in which backslashes protect characters.
fn escaped_end(text: &str) -> usize {
    let (quote, mut is_protected) = (text.as_bytes()[0], false);
    for (at, &byte) in text.as_bytes().iter().enumerate().skip(1) {
        match byte {
            _ if is_protected => is_protected = false,
            b'\\' => is_protected = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns `$tag$` at the start of a text.
fn dollar_tag(text: &str) -> Option<&str> {
    let length = text[1..].find(|sign: char| !sign.is_alphanumeric() && sign != '_')?;
    text[1 + length..].starts_with('$').then(|| &text[..length + 2])
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
        assert_eq!(found, expected.ok_or(AppendRefusal::ReadsOtherwise), "{dialect}: {text:?}");
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

    #[test]
    fn blank_lines_go_only_where_they_mean_nothing() {
        use AppendRefusal::{BlankLineInLiteral, CrInLiteral};
        for (sql, expected) in [
            ("A \n\n B", Ok(vec!["A", " B"])),
            ("A\r\n\r\nB", Ok(vec!["A", "B"])),
            ("'a \nb'  ", Ok(vec!["'a ", "b'"])),
            ("'a\n\nb'", Err(BlankLineInLiteral)),
            ("'a\n\n", Err(BlankLineInLiteral)),
            ("'a\n \n'", Err(BlankLineInLiteral)),
            ("'\n'", Ok(vec!["'", "'"])),
            ("'a''\n\nb'", Err(BlankLineInLiteral)),
            ("'it''s'\n\nb", Ok(vec!["'it''s'", "b"])),
            ("'a\r\nb'", Err(CrInLiteral)),
            ("\"a\n\nb\"", Err(BlankLineInLiteral)),
            ("`a\n\nb`", Err(BlankLineInLiteral)),
            ("'a\\'\n\nb'", Err(BlankLineInLiteral)),
            ("'a\\\\'\n\nb", Ok(vec!["'a\\\\'", "b"])),
            ("$$a\n\nb$$", Err(BlankLineInLiteral)),
            ("$x$a'\n\nb$$ $x$", Err(BlankLineInLiteral)),
            ("$x$ ' $x$\n\nb", Ok(vec!["$x$ ' $x$", "b"])),
            ("$1\n\nb", Ok(vec!["$1", "b"])),
            ("-- don't\n\nb", Ok(vec!["-- don't", "b"])),
            ("/* don't\n\n*/ b", Ok(vec!["/* don't", "*/ b"])),
            ("'é'\n\nä", Ok(vec!["'é'", "ä"])),
        ] {
            assert_eq!(sql_lines(sql), expected, "{sql:?}");
        }
    }
}
