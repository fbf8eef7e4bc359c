//! The state that the records of a file share during execution.

use super::label::LabelBook;
use super::record_processor::RecordProcessor;
use super::settings::Options;
use super::variables::Variables;
use crate::parser::{ConnectionName, Layout, Profile, SortMode};

/// The state in which a record is executed, and which it may change for those behind it.
pub(super) struct ExecutionState {
    /// The database, with its connections.
    pub(super) processor: RecordProcessor,
    /// The first result of each label.
    pub(super) labels: LabelBook,
    pub(super) rules: ExecutionRules,
}

/// What the records of a file set for later ones. Each iteration of a concurrent loop has its own.
#[derive(Clone)]
pub(super) struct ExecutionRules {
    pub(super) variables: Variables,
    /// Whether variables are replaced.
    pub(super) substitutes: bool,
    /// The sort mode of queries without one.
    pub(super) sort: SortMode,
    /// The form of expected rows.
    pub(super) layout: Layout,
    /// Whether queries without types show the names of their columns.
    pub(super) shows_names: bool,
    /// Whether results of queries are compared.
    pub(super) compares: bool,
    /// The number of `mode skip` without a `mode unskip`.
    pub(super) skips: u32,
    /// The connection of records without one, for the iterations of a concurrent loop.
    pub(super) own_connection: Option<String>,
    /// The user of later records.
    pub(super) user: Option<Vec<u8>>,
    /// Errors with one of these texts end the file as skipped.
    pub(super) ignored_errors: Vec<Vec<u8>>,
    /// Errors with one of these texts are never expected.
    pub(super) fatal_errors: Vec<Vec<u8>>,
    threshold: u64,
    /// A threshold that wins over the file's own.
    fixed_threshold: Option<u64>,
}

impl ExecutionRules {
    /// Returns the rules at the beginning of a file.
    pub(super) fn new(profile: &Profile, options: &Options) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        Self {
            variables: Variables::default(),
            substitutes: profile.variables.is_always_on(),
            sort: SortMode::NoSort,
            layout: Layout::Default,
            shows_names: false,
            compares: true,
            skips: 0,
            own_connection: None,
            user: None,
            ignored_errors: texts(profile.ignored_errors),
            fatal_errors: texts(profile.fatal_errors),
            threshold: profile.default_threshold,
            fixed_threshold: options.threshold,
        }
    }

    /// Returns the number of values above which a result is hashed; 0 for never.
    pub(super) fn threshold(&self) -> u64 {
        self.fixed_threshold.unwrap_or(self.threshold)
    }

    /// Sets the threshold that the file asks for.
    pub(super) fn set_threshold(&mut self, threshold: u64) {
        self.threshold = threshold;
    }
}

impl ExecutionState {
    /// Returns the state at the beginning of a file.
    pub(super) fn new(processor: RecordProcessor, profile: &Profile, options: &Options) -> Self {
        let rules = ExecutionRules::new(profile, options);
        Self { processor, labels: LabelBook::default(), rules }
    }

    /// Returns the connection that executes a record which names this one, and the processor to use it with.
    pub(super) fn session<'c>(
        &'c mut self,
        named: Option<&ConnectionName<'c>>,
    ) -> (Option<ConnectionName<'c>>, &'c mut RecordProcessor) {
        let own = self.rules.own_connection.as_ref();
        let own = own.map(|name| ConnectionName { name: name.as_bytes(), user: None });
        let user = self.rules.user.as_deref().map(|user| ConnectionName { name: b"", user: Some(user) });
        (named.copied().or(own).or(user), &mut self.processor)
    }
}
