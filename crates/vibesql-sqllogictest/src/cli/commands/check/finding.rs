//! What `check` finds in a file.

use std::collections::BTreeMap;

use slt_core::location::Source;
use slt_core::parser::{
    self, ChosenDialect, DialectError, DialectReason, DialectRequest, LintLevel, LintRule, RecordKind,
    RequestOrigin, Script, find_lints,
};
use slt_runner::parallel::WorkItem;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    Note,
    Warning,
    Error,
}

impl Severity {
    pub(super) const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Note];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Note => LintLevel::Note.word(),
            Self::Warning => LintLevel::Warning.word(),
            Self::Error => "error",
        }
    }
}

impl From<LintLevel> for Severity {
    fn from(level: LintLevel) -> Self {
        match level {
            LintLevel::Note => Self::Note,
            LintLevel::Warning => Self::Warning,
        }
    }
}

/// A malformed record, a lint, or the reason why a file is refused.
pub(super) struct CheckFinding {
    /// Absent if the whole file is meant.
    pub(super) line: Option<u32>,
    pub(super) severity: Severity,
    pub(super) code: &'static str,
    pub(super) text: String,
    pub(super) help: Option<String>,
}

/// A file, and what was found in it.
pub(super) struct CheckedFile {
    pub(super) shown: String,
    /// Absent if the file is refused.
    pub(super) contents: Option<CheckedContents>,
    pub(super) findings: Vec<CheckFinding>,
}

/// The dialect of a file and the number of its records.
pub(super) struct CheckedContents {
    pub(super) dialect: &'static str,
    pub(super) reason: DialectReason,
    /// The numbers of records by kind, in the order of [`KINDS`].
    pub(super) records: [u64; KINDS.len()],
}

/// The kinds of records, as one and as several.
pub(super) const KINDS: [(&str, &str); 5] = [
    ("statement", "statements"),
    ("query", "queries"),
    ("command", "commands"),
    ("control record", "control records"),
    ("malformed record", "malformed records"),
];

/// The codes of refusals, and why a file is refused.
const REFUSALS: [(&str, &str); 3] = [
    ("unreadable", "The file cannot be read."),
    (
        "unknown-dialect",
        "A comment `# slt-dialect: NAME` in the file names a dialect that this program does not have.",
    ),
    (
        "contradictory-dialects",
        "The file has text that only one dialect can read, and text that only another can read. Every choice would read a \
         part of it with a wrong meaning, so nothing of it is executed. A comment `# slt-dialect: NAME` at the top of the \
         file, an override for its path in the configuration, or --dialect choose one.",
    ),
];

pub(super) fn explain_refusal(code: &str) -> Option<&'static str> {
    REFUSALS.iter().find(|(known, _)| *known == code).map(|(_, explanation)| *explanation)
}

/// Returns the codes of refusals.
pub(super) fn refusals() -> impl Iterator<Item = &'static str> {
    REFUSALS.iter().map(|(code, _)| *code)
}

impl CheckedFile {
    /// Reads and checks a file. `allowed` are the lints that are not reported.
    pub(super) fn read(item: &WorkItem, dialect: Option<&str>, allowed: &[LintRule]) -> Self {
        let refused = |line, code, text: String, help: Option<&str>| Self {
            shown: item.shown.clone(),
            contents: None,
            findings: vec![CheckFinding {
                line,
                severity: Severity::Error,
                code,
                text,
                help: help.map(str::to_owned),
            }],
        };
        let bytes = match item.read() {
            Ok(bytes) => bytes,
            Err(error) => return refused(None, "unreadable", format!("cannot read the file: {error}"), None),
        };
        let source = Source::new(item.shown.as_str(), bytes);
        let own = item.dialect.as_deref().map(|name| DialectRequest { name, by: RequestOrigin::Override });
        let request = own.or(dialect.map(|name| DialectRequest { name, by: RequestOrigin::Setting }));
        match parser::choose(&source, request, false) {
            Ok(chosen) => Self::of(item, &parser::parse(&source, chosen.profile), chosen, allowed),
            Err(error @ DialectError::Unknown(_)) => {
                refused(None, "unknown-dialect", error.to_string(), None)
            }
            Err(error @ DialectError::Mixed { .. }) => {
                let help = "`# slt-dialect: NAME` at the top chooses one, and so does --dialect";
                refused(error.line(), "contradictory-dialects", error.to_string(), Some(help))
            }
        }
    }

    fn of(item: &WorkItem, script: &Script<'_>, chosen: ChosenDialect, allowed: &[LintRule]) -> Self {
        let mut records = [0; KINDS.len()];
        let mut findings = Vec::new();
        for record in script.records() {
            let kind = match (&record.defect, &record.kind) {
                (Some(_), _) | (_, RecordKind::Unknown) => 4,
                (_, RecordKind::Statement(_)) => 0,
                (_, RecordKind::Query(_)) => 1,
                (_, RecordKind::Let(_) | RecordKind::System(_) | RecordKind::Database(_)) => 2,
                (_, RecordKind::Control(_)) => 3,
            };
            records[kind] += 1;
            findings.extend(record.defect.as_ref().map(|defect| CheckFinding {
                line: Some(defect.error.location.line),
                severity: Severity::Error,
                code: defect.error.kind.code(),
                text: defect.error.kind.to_string(),
                help: defect.error.kind.hint().map(str::to_owned),
            }));
        }
        let lints = find_lints(script).into_iter().filter(|lint| !allowed.contains(&lint.rule));
        findings.extend(lints.map(|lint| CheckFinding {
            line: Some(lint.line),
            severity: lint.rule.level().into(),
            code: lint.rule.code(),
            text: lint.text,
            help: Some(lint.rule.help().to_owned()),
        }));
        findings.sort_by_key(|finding| (finding.line, std::cmp::Reverse(finding.severity)));
        let contents = CheckedContents { dialect: chosen.profile.name, reason: chosen.reason, records };
        Self { shown: item.shown.clone(), contents: Some(contents), findings }
    }
}

/// The sums over all files.
#[derive(Default)]
pub(super) struct CheckSums {
    pub(super) files: u64,
    pub(super) refused: u64,
    pub(super) records: u64,
    pub(super) dialects: BTreeMap<&'static str, u64>,
    findings: BTreeMap<Severity, u64>,
}

impl CheckSums {
    pub(super) fn add(&mut self, file: &CheckedFile) {
        self.files += 1;
        match &file.contents {
            None => self.refused += 1,
            Some(contents) => {
                *self.dialects.entry(contents.dialect).or_default() += 1;
                self.records += contents.records.iter().sum::<u64>();
            }
        }
        for finding in &file.findings {
            *self.findings.entry(finding.severity).or_default() += 1;
        }
    }

    /// Returns the number of findings of a severity.
    pub(super) fn findings(&self, severity: Severity) -> u64 {
        self.findings.get(&severity).copied().unwrap_or(0)
    }
}
