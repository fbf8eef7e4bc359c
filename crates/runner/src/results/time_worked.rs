//! The duration of a run over all sessions.

use std::time::Duration;

/// The working time over all sessions of a run. A killed session has recorded no time; it lasted at least until the
/// last file that it finished.
#[derive(Debug, Default)]
pub(super) struct TimeWorked {
    sum: Duration,
    /// The start and the last known time of the open session.
    open: Option<(i64, i64)>,
}

impl TimeWorked {
    pub(super) fn session_begins(&mut self, at: i64) {
        self.sum = std::mem::take(self).sum();
        self.open = Some((at, at));
    }

    pub(super) fn file_finishes(&mut self, at: Option<i64>) {
        if let (Some((_, last)), Some(at)) = (&mut self.open, at) {
            *last = at.max(*last);
        }
    }

    pub(super) fn session_ends(&mut self, elapsed: Duration) {
        self.sum += elapsed;
        self.open = None;
    }

    pub(super) fn sum(&self) -> Duration {
        let open = self.open.map_or(0, |(began, last)| last.saturating_sub(began));
        self.sum + Duration::from_millis(u64::try_from(open).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_run_is_the_sum_over_its_sessions() {
        let mut worked = TimeWorked::default();
        worked.session_begins(1_000);
        worked.file_finishes(Some(1_700));
        worked.file_finishes(None);
        assert_eq!(worked.sum(), Duration::from_millis(700), "killed, or still going on");
        worked.session_begins(100_000);
        worked.file_finishes(Some(100_050));
        worked.session_ends(Duration::from_millis(60));
        assert_eq!(worked.sum(), Duration::from_millis(760));
        // The clock was set back, also during the session.
        worked.session_begins(500);
        worked.file_finishes(Some(20));
        assert_eq!(worked.sum(), Duration::from_millis(760));
    }
}
