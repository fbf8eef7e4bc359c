//! Queries with the settings that apply to them, and their expected rows.

use std::borrow::Cow;

use super::super::control::Control;
use super::super::dialect::{Matcher, Profile, VariableSyntax};
use super::super::lines::is_space;
use super::super::record::{Layout, Query, QueryExpectation, Record, RecordKind, Script, SortMode};
use super::super::text::{Block, HashLine};

/// A query, and the settings of the file that apply to it.
pub(super) struct FileState<'a, 's> {
    pub(super) profile: &'static Profile,
    pub(super) record: &'a Record<'s>,
    pub(super) query: &'a Query<'s>,
    /// The sort mode of queries without one, if the file sets it.
    pub(super) usual_sort: Option<SortMode>,
    /// The threshold, if the file sets one.
    pub(super) threshold: Option<u64>,
    layout: Layout,
    /// Whether variables are replaced.
    substitutes: bool,
}

impl<'a, 's> FileState<'a, 's> {
    /// Returns all queries in order that are not malformed.
    pub(super) fn of_queries(script: &'a Script<'s>) -> Vec<Self> {
        let profile = script.profile;
        let (mut usual_sort, mut threshold, mut layout) = (None, None, Layout::Default);
        let mut substitutes = profile.variables.is_always_on();
        let mut queries = Vec::new();
        for record in script.records() {
            match &record.kind {
                RecordKind::Control(Control::SortMode(mode)) => usual_sort = Some(*mode),
                RecordKind::Control(Control::HashThreshold(values)) => threshold = Some(*values),
                RecordKind::Control(Control::ResultLayout(new)) => layout = *new,
                RecordKind::Control(Control::Substitution(on)) => substitutes = *on,
                RecordKind::Query(query) if record.defect.is_none() => {
                    queries.push(Self { profile, record, query, usual_sort, threshold, layout, substitutes });
                }
                _ => {}
            }
        }
        queries
    }

    /// Returns the sort mode that applies.
    pub(super) fn sort(&self) -> SortMode {
        self.query.sort.or(self.usual_sort).unwrap_or(SortMode::NoSort)
    }

    /// Returns the threshold that applies.
    pub(super) fn threshold(&self) -> u64 {
        self.threshold.unwrap_or(self.profile.default_threshold)
    }

    /// Returns the line of the header.
    pub(super) fn line(&self) -> u32 {
        self.record.line
    }

    /// Returns the hash line, if there is one.
    pub(super) fn hash(&self) -> Option<HashLine> {
        match &self.query.expected {
            QueryExpectation::Hash(hash) => Some(*hash),
            _ => None,
        }
    }

    /// Returns the listed values, if they stand for themselves: without patterns and variables.
    pub(super) fn listed(&self) -> Option<&Block<'s>> {
        let QueryExpectation::Rows(block) = &self.query.expected else { return None };
        let is_literal = block.lines().all(|line| self.is_literal(line));
        (is_literal && self.query.layout != Layout::Text && !self.query.shows_names).then_some(block)
    }

    fn is_literal(&self, line: &[u8]) -> bool {
        let has = |mark: &[u8]| memchr::memmem::find(line, mark).is_some();
        let is_pattern = match self.profile.matcher {
            Matcher::ValuePerLine(_) => false,
            _ => line.contains(&b'<') && (has(b"<slt:ignore>") || has(b"REGEX>:") || has(b"<FILE>:")),
        };
        let has_variable = self.substitutes
            && match self.profile.variables {
                VariableSyntax::None => false,
                VariableSyntax::Braces => line.contains(&b'{'),
                VariableSyntax::Dollar | VariableSyntax::DollarOnRequest => line.contains(&b'$'),
            };
        !is_pattern && !has_variable
    }

    /// Returns how the expected values stand in lines; `None` if only the result decides.
    pub(super) fn form(&self, block: &Block<'s>) -> Option<ValueForm> {
        let layout = if self.query.layout == Layout::Default { self.layout } else { self.query.layout };
        match (self.profile.matcher, layout) {
            (_, Layout::Text) => None,
            (Matcher::ValuePerLine(_), _) | (Matcher::SqllogictestRs, Layout::Values) => {
                Some(ValueForm::Values)
            }
            (Matcher::SqllogictestRs, _) => Some(ValueForm::Words),
            // The number of rows decides between values and rows.
            (Matcher::Vibesql, _) => None,
            (Matcher::Duckdb, _) => {
                let is_tabbed = |line: &[u8]| line.contains(&b'\t');
                match (block.lines().all(is_tabbed), block.lines().any(is_tabbed)) {
                    (true, _) => Some(ValueForm::Tabs),
                    (false, false) => Some(ValueForm::Values),
                    (false, true) => None,
                }
            }
            (Matcher::Cockroach | Matcher::Materialize, _) => None,
        }
    }

    /// Returns the expected rows; `None` if the text does not say where a value ends.
    pub(super) fn rows(&self) -> Option<Vec<Vec<Cow<'s, [u8]>>>> {
        let block = self.listed()?;
        let columns = self.query.types.len();
        let lines = || block.lines().map(Cow::Borrowed);
        let rows: Vec<Vec<_>> = match self.form(block)? {
            ValueForm::Values => {
                let values: Vec<_> = lines().collect();
                values.chunks(columns.max(1)).map(<[_]>::to_vec).collect()
            }
            ValueForm::Words if columns == 1 => block.lines().map(|line| vec![folded(line)]).collect(),
            ValueForm::Words => block.lines().map(|line| words(line).map(Cow::Borrowed).collect()).collect(),
            ValueForm::Tabs => {
                let cells = |line: &'s [u8]| line.split(|&byte| byte == b'\t').map(Cow::Borrowed).collect();
                block.lines().map(cells).collect()
            }
        };
        rows.iter().all(|row| row.len() == columns).then_some(rows)
    }
}

/// How expected values stand in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueForm {
    /// One value a line.
    Values,
    /// One row a line, with blanks between values; values can contain blanks as well.
    Words,
    /// One row a line, with tabs between values.
    Tabs,
}

/// Returns the words of a line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| is_space(byte)).filter(|word| !word.is_empty())
}

/// Returns a line with one blank between its words.
fn folded(line: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(words(line).collect::<Vec<_>>().join(&b' '))
}
