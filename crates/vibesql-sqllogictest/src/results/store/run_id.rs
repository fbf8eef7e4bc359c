//! Numbers of runs.

use super::error::StoreError;

/// The number of a run: the second in which it began, since 1970, times 100, and its number among the runs of that
/// second, from 1. It follows from the name of its folder, so it is the same wherever the store is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl RunId {
    /// The number of the run with this name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoNumber`], for a name that is not of the form `YYYYMMDD-HHMMSS` or `YYYYMMDD-HHMMSS-N`.
    pub fn of_name(name: &str) -> Result<Self, StoreError> {
        let id = || {
            const FORM: &str = "%Y%m%d-%H%M%S";
            let (second, number) = match name.match_indices('-').nth(1) {
                Some((place, _)) => (&name[..place], name[place + 1..].parse().ok()?),
                None => (name, 1),
            };
            let time = jiff::civil::DateTime::strptime(FORM, second).ok()?;
            // Two names for one number would be two runs that take each other's place.
            let canonical = time.strftime(FORM).to_string();
            let known_as = if number == 1 { canonical } else { format!("{canonical}-{number}") };
            if known_as != name {
                return None;
            }
            let second = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
            (1..=99).contains(&number).then_some(Self(second.checked_mul(100)? + number))
        };
        id().ok_or_else(|| StoreError::NoNumber(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_from_names() {
        let id = |name| RunId::of_name(name).map(|id| id.0).ok();
        assert_eq!(id("19700101-000001"), Some(101));
        assert_eq!(id("19700101-000001-2"), Some(102));
        assert_eq!(id("20261122-214410-99"), Some(179_538_385_099));
        assert_eq!(
            ["x", "", "20261122-214410-100", "20261122-214410-x", "20261322-214410"].map(id),
            [None; 5]
        );
        // Other names of runs that there may be.
        assert_eq!(
            [
                "20261122-214410-1",
                "20261122-214410-02",
                "20261122-214410-+2",
                "20261122-21441",
                " 20261122-214410"
            ]
            .map(id),
            [None; 5]
        );
    }
}
