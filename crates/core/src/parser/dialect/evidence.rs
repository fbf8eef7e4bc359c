//! Evidence of a dialect in the text of a file, found in one pass over its lines.
//!
//! Only the starts of records, and the lines after `----` of a record that compares them, are looked at: SQL and results
//! can contain any word. A piece of evidence tells which dialects *allow* the text, so pieces that several dialects share
//! need no order.

use super::families::{ALL, COCKROACH, DUCKDB, DialectSet, MATERIALIZE, RS, SQLITE, VIBESQL};
use crate::parser::lines::{Line, LineCursor, is_space};
use crate::parser::text::HashLine;

/// The sqllogictest-rs runner, and what was made from it.
const RS_LIKE: DialectSet = RS.or(VIBESQL);
/// The runner of CockroachDB, and what was made from it.
const COCKROACH_LIKE: DialectSet = COCKROACH.or(MATERIALIZE);
/// The runners that match the texts of errors with patterns in the header.
const WITH_PATTERNS: DialectSet = RS_LIKE.or(COCKROACH_LIKE);

/// How much a piece of evidence says, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvidenceStrength {
    /// No other dialect can read the text.
    Certain,
    /// A header that other dialects reject, or read differently.
    Header,
    /// A comment that files of a dialect begin with.
    Comment,
    /// The layout of a result.
    Layout,
}

/// Text that only some dialects allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct EvidencePiece<'s> {
    /// The dialects that allow it.
    pub(super) allows: DialectSet,
    pub(super) strength: EvidenceStrength,
    /// The line, counted from 1.
    pub(super) line: u32,
    /// The text of the line.
    pub(super) text: &'s [u8],
    /// The number of lines like this.
    pub(super) count: u32,
}

/// Returns the first piece of evidence of each kind, in the order of the text.
pub(super) fn collect(bytes: &[u8]) -> Vec<EvidencePiece<'_>> {
    let mut scan = EvidenceScan { pieces: Vec::new(), names_test: None, layouts: MOST_LAYOUTS };
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut cursor = LineCursor::new(bytes, start);
    let mut place = ScanPlace::Start;
    while let Some(line) = cursor.take() {
        if line.text.is_empty() {
            scan.end(&place);
            place = ScanPlace::Start;
            continue;
        }
        match &mut place {
            ScanPlace::Start => place = scan.start(line),
            ScanPlace::Sql(body) => {
                if line.text == b"----" {
                    place = scan.separator(*body, line);
                }
            }
            ScanPlace::Values(block) => scan.value(line, block),
            ScanPlace::Other => {}
        }
    }
    scan.end(&place);
    scan.pieces
}

/// The maximum number of results whose layout is looked at: the first ones show it.
const MOST_LAYOUTS: u32 = 64;

/// The place of a line.
enum ScanPlace<'s> {
    /// Where a record can start.
    Start,
    /// Behind the header of a record with SQL.
    Sql(ComparedBody<'s>),
    /// Behind `----`.
    Values(ValueBlock<'s>),
    /// In text that is looked at no further.
    Other,
}

/// What a record with SQL compares.
#[derive(Clone, Copy)]
enum ComparedBody<'s> {
    /// The text of an error.
    Error,
    /// A result with these type letters; none if its layout shows nothing.
    Result(&'s [u8]),
    /// Nothing, or output of a program.
    Nothing,
}

/// The lines after `----`.
struct ValueBlock<'s> {
    /// The type letters; none if the layout shows nothing.
    types: &'s [u8],
    first: Line<'s>,
    count: usize,
    /// Whether each line has as many words as there are columns.
    is_rows: bool,
    /// Whether the words of each line are separated by tabs.
    is_tabbed: bool,
    /// Whether a line that would be one number has several words.
    is_no_list: bool,
}

struct EvidenceScan<'s> {
    pieces: Vec<EvidencePiece<'s>>,
    /// A line `# name: …`.
    names_test: Option<Line<'s>>,
    layouts: u32,
}

impl<'s> EvidenceScan<'s> {
    fn add(&mut self, allows: DialectSet, strength: EvidenceStrength, line: Line<'s>) {
        if allows == ALL {
            return;
        }
        let is_known = |piece: &&mut EvidencePiece<'_>| piece.allows == allows && piece.strength == strength;
        match self.pieces.iter_mut().find(is_known) {
            Some(known) => known.count += 1,
            None => {
                let (number, text) = (line.number, line.text);
                self.pieces.push(EvidencePiece { allows, strength, line: number, text, count: 1 });
            }
        }
    }

    /// Looks at a line where a record can start.
    fn start(&mut self, line: Line<'s>) -> ScanPlace<'s> {
        if let Some(place) = usual(line.text) {
            return place;
        }
        if line.is_comment() {
            self.comment(line);
            return ScanPlace::Start;
        }
        let words = FirstWords::of(line.text);
        let Some(keyword) = words.get(0) else { return ScanPlace::Start };
        match keyword {
            b"statement" => ScanPlace::Sql(self.statement(line, &words)),
            b"query" => ScanPlace::Sql(self.query(line, &words)),
            b"skipif" | b"onlyif" => {
                let compares = words.get(1).is_some_and(|word| word.contains(&b'=') || word.contains(&b'<'));
                self.add(if compares { DUCKDB } else { ALL }, EvidenceStrength::Header, line);
                ScanPlace::Start
            }
            _ => self.other(line, keyword, &words),
        }
    }

    fn comment(&mut self, line: Line<'s>) {
        let comment = line.text[1..].trim_ascii();
        if comment.starts_with(b"LogicTest:") {
            self.add(COCKROACH_LIKE, EvidenceStrength::Comment, line);
        } else if comment.starts_with(b"name:") {
            self.names_test = self.names_test.or(Some(line));
        } else if comment.starts_with(b"group:")
            && let Some(name) = self.names_test
        {
            self.add(DUCKDB, EvidenceStrength::Comment, name);
        }
    }

    fn statement(&mut self, line: Line<'s>, words: &FirstWords<'s>) -> ComparedBody<'s> {
        self.retry(line, words);
        let third = words.get(2).filter(|word| !word.starts_with(b"#"));
        match (words.get(1), third) {
            (Some(b"ok"), Some(word)) if word != b"retry" => self.add(DUCKDB, EvidenceStrength::Header, line),
            (Some(b"error"), None) => return ComparedBody::Error,
            (Some(b"error"), Some(b"retry")) => return ComparedBody::Error,
            // DuckDB has the name of a connection here.
            (Some(b"error"), Some(_)) if words.get(3).is_none() => {
                self.add(WITH_PATTERNS.or(DUCKDB), EvidenceStrength::Header, line);
                return ComparedBody::Error;
            }
            (Some(b"error"), Some(_)) | (Some(b"count"), _) => {
                self.add(WITH_PATTERNS, EvidenceStrength::Header, line);
            }
            (Some(b"maybe" | b"debug" | b"debug_skip"), _) => {
                self.add(DUCKDB, EvidenceStrength::Certain, line);
                return ComparedBody::Error;
            }
            (Some(b"async"), Some(b"ok" | b"error" | b"count")) => {
                self.add(WITH_PATTERNS, EvidenceStrength::Header, line);
            }
            (Some(b"async" | b"notice"), _) => self.add(COCKROACH_LIKE, EvidenceStrength::Certain, line),
            _ => {}
        }
        ComparedBody::Nothing
    }

    fn query(&mut self, line: Line<'s>, words: &FirstWords<'s>) -> ComparedBody<'s> {
        self.retry(line, words);
        let third = words.get(2).filter(|word| !word.starts_with(b"#"));
        let Some(types) = words.get(1) else {
            self.add(RS_LIKE, EvidenceStrength::Header, line);
            return ComparedBody::Nothing;
        };
        if types == b"error" {
            self.add(WITH_PATTERNS, EvidenceStrength::Header, line);
            return ComparedBody::Error;
        }
        if !types.iter().all(|letter| b"TIR".contains(letter)) {
            let is_shared = types.iter().all(|letter| b"TIRFBOD_".contains(letter));
            self.add(if is_shared { WITH_PATTERNS } else { RS_LIKE }, EvidenceStrength::Header, line);
        }
        match third {
            None | Some(b"nosort" | b"rowsort") => return ComparedBody::Result(types),
            Some(b"valuesort" | b"retry") => {}
            Some(b"multiline") => self.add(MATERIALIZE, EvidenceStrength::Certain, line),
            Some(b"sort" | b"none") => self.add(DUCKDB, EvidenceStrength::Header, line),
            Some(word) if is_option_list(word) => self.add(COCKROACH_LIKE, EvidenceStrength::Certain, line),
            Some(word) if word.starts_with(b"+") => self.add(RS_LIKE, EvidenceStrength::Header, line),
            Some(_) => self.add(RS_LIKE.or(DUCKDB), EvidenceStrength::Header, line),
        }
        ComparedBody::Result(&[])
    }

    /// Looks at a record that is neither statement nor query.
    fn other(&mut self, line: Line<'s>, keyword: &[u8], words: &FirstWords<'s>) -> ScanPlace<'s> {
        self.retry(line, words);
        let second = words.get(1).unwrap_or_default();
        let (allows, strength) = match keyword {
            b"loop" | b"foreach" | b"endloop" | b"concurrentloop" | b"concurrentforeach" | b"require"
            | b"require-env" | b"test-env" | b"load" | b"restart" | b"reconnect" | b"unzip" | b"tags"
            | b"continue" => (DUCKDB, EvidenceStrength::Certain),
            b"mode" => match second {
                b"skip" | b"unskip" | b"output_hash" | b"output_result" | b"no_output" | b"debug" => {
                    (DUCKDB, EvidenceStrength::Certain)
                }
                _ => (MATERIALIZE, EvidenceStrength::Certain),
            },
            b"set" | b"reset" => match second {
                b"seed"
                | b"variable"
                | b"ignore_error_messages"
                | b"always_fail_error_messages"
                | b"label" => (DUCKDB, EvidenceStrength::Certain),
                _ => (ALL, EvidenceStrength::Header),
            },
            b"let" if second.starts_with(b"$") => (COCKROACH_LIKE, EvidenceStrength::Certain),
            b"control" | b"system" | b"connection" | b"let" | b"show-column-names" | b"flat-values" => {
                (RS_LIKE, EvidenceStrength::Certain)
            }
            b"user" | b"repeat" | b"kv-batch-size" => (COCKROACH_LIKE, EvidenceStrength::Certain),
            b"simple" | b"copy" | b"reset-server" => (MATERIALIZE, EvidenceStrength::Certain),
            b"dialect" => (VIBESQL, EvidenceStrength::Certain),
            b"include" => (RS_LIKE.or(DUCKDB), EvidenceStrength::Header),
            b"subtest" => (WITH_PATTERNS, EvidenceStrength::Header),
            b"sleep" if words.get(2).is_some() => (DUCKDB, EvidenceStrength::Header),
            b"sleep" => (WITH_PATTERNS, EvidenceStrength::Header),
            b"halt" | b"hash-threshold" => (ALL, EvidenceStrength::Header),
            _ => return ScanPlace::Other,
        };
        self.add(allows, strength, line);
        match keyword {
            b"let" | b"system" | b"simple" | b"copy" => ScanPlace::Sql(ComparedBody::Nothing),
            _ => ScanPlace::Start,
        }
    }

    fn retry(&mut self, line: Line<'s>, words: &FirstWords<'s>) {
        if words.has_retry() {
            self.add(RS_LIKE, EvidenceStrength::Certain, line);
        }
    }

    fn separator(&mut self, body: ComparedBody<'s>, line: Line<'s>) -> ScanPlace<'s> {
        let types = match body {
            ComparedBody::Nothing => return ScanPlace::Other,
            ComparedBody::Error => {
                self.add(RS_LIKE.or(DUCKDB), EvidenceStrength::Header, line);
                &[]
            }
            ComparedBody::Result(types) if types.len() > 1 && self.layouts > 0 => {
                self.layouts -= 1;
                types
            }
            ComparedBody::Result(_) => &[],
        };
        let (is_rows, is_tabbed) = (true, true);
        ScanPlace::Values(ValueBlock { types, first: line, count: 0, is_rows, is_tabbed, is_no_list: false })
    }

    /// Looks at a line after `----`.
    fn value(&mut self, line: Line<'s>, block: &mut ValueBlock<'s>) {
        let text = line.text;
        if text.starts_with(b"<")
            && [&b"<REGEX>:"[..], b"<!REGEX>:", b"<FILE>:"].iter().any(|mark| text.starts_with(mark))
        {
            self.add(DUCKDB, EvidenceStrength::Certain, line);
        }
        if text.contains(&b'<') && memchr::memmem::find(text, b"<slt:ignore>").is_some() {
            self.add(RS_LIKE, EvidenceStrength::Certain, line);
        }
        if block.types.is_empty() {
            return;
        }
        if block.count == 0 {
            block.first = line;
            if HashLine::parse(text).is_some() {
                block.types = &[];
                return;
            }
        }
        let columns = block.types.len();
        let words = text.split(|&byte| is_space(byte)).filter(|word| !word.is_empty()).count();
        let is_number = block.types[block.count % columns] != b'T';
        block.is_rows &= words == columns;
        block.is_tabbed &= text.iter().filter(|&&byte| byte == b'\t').count() + 1 == columns;
        block.is_no_list |= is_number && words > 1;
        block.count += 1;
    }

    /// Looks at a record that ends.
    fn end(&mut self, place: &ScanPlace<'s>) {
        let ScanPlace::Values(block) = place else { return };
        if block.types.is_empty() || block.count == 0 {
            return;
        }
        let is_whole = block.count % block.types.len() == 0;
        if block.is_tabbed {
            self.add(ALL.without(SQLITE), EvidenceStrength::Layout, block.first);
        } else if block.is_no_list || (block.is_rows && !is_whole) {
            self.add(WITH_PATTERNS, EvidenceStrength::Layout, block.first);
        }
    }
}

/// Returns the place behind a line that almost all files consist of, which every dialect has; this is for speed.
fn usual(line: &[u8]) -> Option<ScanPlace<'_>> {
    if let Some(name) = line.strip_prefix(b"skipif ").or_else(|| line.strip_prefix(b"onlyif ")) {
        let length = name.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(name.len());
        return matches!(name.get(length), None | Some(b' ')).then_some(ScanPlace::Start);
    }
    let Some(types) = line.strip_prefix(b"query ") else {
        return (line == b"statement ok").then_some(ScanPlace::Sql(ComparedBody::Nothing));
    };
    let length = types.iter().position(|letter| !b"TIR".contains(letter)).unwrap_or(types.len());
    let (types, rest) = types.split_at(length);
    let label = rest.strip_prefix(b" nosort").or_else(|| rest.strip_prefix(b" rowsort"))?;
    let is_label = label.is_empty() || (label[0] == b' ' && !label[1..].iter().any(|&byte| is_space(byte)));
    (is_label && !types.is_empty()).then_some(ScanPlace::Sql(ComparedBody::Result(types)))
}

/// Returns whether a word is a list of options as CockroachDB has them.
fn is_option_list(word: &[u8]) -> bool {
    let is_option = |option: &[u8]| {
        matches!(option, b"nosort" | b"rowsort" | b"valuesort" | b"colnames" | b"retry" | b"multiline")
            || option.starts_with(b"partialsort(")
    };
    word.split(|&byte| byte == b',').next().is_some_and(is_option)
}

/// The first words of a header.
struct FirstWords<'s> {
    words: [&'s [u8]; MOST_WORDS],
    count: usize,
}

const MOST_WORDS: usize = 12;

impl<'s> FirstWords<'s> {
    fn of(line: &'s [u8]) -> Self {
        let (mut words, mut count) = ([&line[..0]; MOST_WORDS], 0);
        let found = line.split(|&byte| is_space(byte)).filter(|word| !word.is_empty());
        for (slot, word) in words.iter_mut().zip(found) {
            *slot = word;
            count += 1;
        }
        Self { words, count }
    }

    fn get(&self, index: usize) -> Option<&'s [u8]> {
        self.words[..self.count].get(index).copied()
    }

    /// Returns whether the words have `retry N backoff`.
    fn has_retry(&self) -> bool {
        self.words[..self.count].windows(3).any(|words| words[0] == b"retry" && words[2] == b"backoff")
    }
}
