//! Rules for text that is legal and probably a mistake, for the command `check`.
//!
//! Each rule is a pure function of a script. Running a suite applies none of them, so that it costs nothing.

mod codes;
mod glued;
mod labels;
mod order;
mod reach;
mod rows;
mod rule;
mod shape;
mod silence;
#[cfg(test)]
mod tests;

pub use codes::{defect_codes, explain_defect};
pub use rule::{LintLevel, LintRule};

use super::dialect::foreign_text;
use super::error::LintKind;
use super::record::Script;
use rows::FileState;
use silence::Silenced;

/// A place where a rule applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// The line.
    pub line: u32,
    /// The rule.
    pub rule: LintRule,
    /// What is wrong.
    pub text: String,
}

impl LintFinding {
    fn new(line: u32, rule: LintRule, text: impl Into<String>) -> Self {
        Self { line, rule, text: text.into() }
    }
}

/// Applies all rules to a file, and returns the findings in the order of their lines. Comments `# slt-allow: CODE` silence
/// rules. Malformed records are not findings: they have a defect.
pub fn find_lints(script: &Script<'_>) -> Vec<LintFinding> {
    let mut found: Vec<_> = script
        .lints
        .iter()
        .map(|lint| LintFinding::new(lint.line, lint.kind.into(), lint.kind.to_string()))
        .collect();
    let states = FileState::of_queries(script);
    order::find(&states, &mut found);
    shape::find(&states, &mut found);
    labels::find(script, &states, &mut found);
    reach::find(script, &mut found);
    glued::find(script, &mut found);
    for other in foreign_text(script.source, script.profile.name) {
        let text = format!(
            "`{}` is {}, and the file is read as {}",
            other.evidence.text,
            other.dialects.join(" or "),
            script.profile.name
        );
        found.push(LintFinding::new(other.evidence.line, LintRule::MixedDialects, text));
    }
    let silenced = Silenced::read(script);
    let is_malformed = |line| script.record_at(line).is_some_and(|record| record.defect.is_some());
    // The defect of a record already says that its text is of another dialect.
    found.retain(|finding| {
        let repeats_defect = finding.rule == LintRule::MixedDialects && is_malformed(finding.line);
        !repeats_defect && !silenced.covers(finding)
    });
    found.sort_by(|a, b| (a.line, a.rule.code()).cmp(&(b.line, b.rule.code())));
    found.dedup();
    found
}

impl From<LintKind> for LintRule {
    fn from(kind: LintKind) -> Self {
        match kind {
            LintKind::HeaderInSql => Self::HeaderInSql,
            LintKind::HeaderInValues => Self::HeaderInValues,
            LintKind::NoSeparator => Self::NoSeparator,
            LintKind::HashBelowThreshold => Self::HashBelowThreshold,
            LintKind::ValuesAboveThreshold => Self::ValuesAboveThreshold,
            LintKind::MisplacedSortMode | LintKind::ConnectionLikeSortMode => Self::MisspeltSortMode,
            LintKind::SeparatorInSql | LintKind::SeparatorWithoutResult => Self::SeparatorInSql,
            LintKind::UncheckedOption | LintKind::Unchecked => Self::Unchecked,
            LintKind::ExecutedInOrder | LintKind::LoopInOrder => Self::ExecutedInOrder,
            LintKind::WhiteSpaceFolded => Self::WhiteSpaceFolded,
            LintKind::WithoutEffect => Self::WithoutEffect,
            LintKind::OptionAsLabel => Self::OptionAsLabel,
            LintKind::WithinTolerance => Self::WithinTolerance,
            LintKind::AnyError => Self::AnyError,
            LintKind::EmptyCells => Self::EmptyCells,
            LintKind::LoopWithoutValues => Self::EmptyLoop,
        }
    }
}
