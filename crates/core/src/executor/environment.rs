//! The state that the records of a file share during execution.

use super::label::LabelBook;
use super::record_processor::RecordProcessor;
use super::settings::Options;
use crate::parser::Profile;

/// The state in which a record is executed, and which it may change for those behind it.
pub(super) struct ExecutionState<'s> {
    /// The database, with the connection that is in use.
    pub(super) processor: RecordProcessor,
    /// The first result of each label.
    pub(super) labels: LabelBook<'s>,
    threshold: u64,
    /// A threshold that wins over the file's own.
    fixed_threshold: Option<u64>,
}

impl ExecutionState<'_> {
    /// Returns the state at the beginning of a file.
    pub(super) fn new(processor: RecordProcessor, profile: &Profile, options: &Options) -> Self {
        let labels = LabelBook::default();
        let threshold = profile.default_threshold;
        Self { processor, labels, threshold, fixed_threshold: options.threshold }
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
