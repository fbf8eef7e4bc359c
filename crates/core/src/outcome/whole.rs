//! Reports of files with only a status, from other tools.

use std::time::Duration;

use super::counts::Counts;
use super::fault::Fault;
use super::file::{Attempt, FileEnd, FileProblem, FileReport, FileStatus};
use super::name::RecordId;
use super::problem::Problem;
use super::record::{FailingRecord, FailureDetail};

impl FileReport {
    /// Creates the report of a file that is known only as a whole. It counts as one record, on line 0.
    ///
    /// | status        | the record               | end         | the message is kept        |
    /// |---------------|--------------------------|-------------|----------------------------|
    /// | Passed        | executed, passed         | completed   | no                         |
    /// | Empty         | skipped                  | completed   | no                         |
    /// | Failed        | executed, failed         | completed   | in the details             |
    /// | Flaky         | executed, passed         | completed   | with an attempt that failed |
    /// | TimedOut      | executed, timed out      | timed out   | in the details             |
    /// | Crashed       | executed, faulted        | faulted     | in the details             |
    /// | OutOfMemory   | executed, faulted        | faulted     | in the details             |
    /// | Error         | faulted                  | not started | in the details             |
    pub fn of_whole(file: &str, status: FileStatus, message: Option<&str>, elapsed: Duration) -> Self {
        let executed = !matches!(status, FileStatus::Empty | FileStatus::Error);
        let mut counts = Counts { total: 1, executed: u64::from(executed), ..Counts::default() };
        *match status {
            FileStatus::Passed | FileStatus::Flaky => &mut counts.passed,
            FileStatus::Failed => &mut counts.failed,
            FileStatus::TimedOut => &mut counts.timed_out,
            FileStatus::Empty => &mut counts.skipped,
            FileStatus::Crashed | FileStatus::OutOfMemory | FileStatus::Error => &mut counts.faulted,
        } = 1;
        let end = match status {
            FileStatus::Passed | FileStatus::Failed | FileStatus::Empty | FileStatus::Flaky => {
                FileEnd::Completed
            }
            FileStatus::TimedOut => FileEnd::TimedOut { id: None },
            FileStatus::Crashed => {
                let fault = Fault::Lost("as another tool reports".to_owned());
                FileEnd::Faulted { id: None, fault }
            }
            FileStatus::OutOfMemory => {
                let fault = Fault::OutOfMemory { used: 0, limit: 0, after: None };
                FileEnd::Faulted { id: None, fault }
            }
            FileStatus::Error => FileEnd::NotStarted(FileProblem::Reported),
        };
        let problem = match message {
            None if status == FileStatus::TimedOut && !elapsed.is_zero() => {
                Problem::TimedOut { after: elapsed }
            }
            message => Problem::Reported(message.unwrap_or_default().to_owned()),
        };
        let detail = FailureDetail { header: String::new(), sql: String::new(), problem, unhashed: None };
        let record = FailingRecord::from_other_tool(RecordId::WHOLE_FILE, Some(detail));
        let (failures, attempts) = match status {
            FileStatus::Passed | FileStatus::Empty => (Vec::new(), Vec::new()),
            FileStatus::Flaky => {
                let (status, elapsed) = (FileStatus::Failed, Duration::ZERO);
                (Vec::new(), vec![Attempt { status, elapsed, first: Some(record) }])
            }
            _ => (vec![record], Vec::new()),
        };
        Self { counts, failures, elapsed, attempts, ..Self::new(file, end) }
    }

    /// Returns whether the file may be known only as a whole: one record without a digest.
    pub fn is_whole(&self) -> bool {
        self.counts.total == 1 && self.records.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_as_a_whole_keeps_its_status_and_adds_up() {
        for status in FileStatus::ALL {
            for message in [None, Some("why")] {
                let report = FileReport::of_whole("a.test", status, message, Duration::from_secs(1));
                assert_eq!(report.status(), status);
                assert!(report.counts.add_up(), "{status:?}: {:?}", report.counts);
                assert_eq!((report.counts.total, report.details_omitted()), (1, 0), "{status:?}");
                assert!(report.is_whole());
                assert_eq!(report.failures.is_empty(), report.counts.not_passed() == 0, "{status:?}");
            }
        }
    }
}
