//! The order of runs. The number of a run follows from the name of its folder, so the order is the same in lists, in the
//! store, and on another machine.
//!
//! A run is named by the second of its start in UTC, and by its number in that second, from 2 on. The name of a new run
//! always follows all others, even if the clock was set back: the last run is the one that was started last. Imported
//! runs keep their own time.

/// The form of a name without its number in the second.
const FORM: &str = "%Y%m%d-%H%M%S";
/// The maximum number of runs that can start in one second.
const MOST_OF_A_SECOND: i64 = 99;
/// The distance between the numbers of two seconds; no run has the number 0 of a second.
const A_SECOND: i64 = MOST_OF_A_SECOND + 1;

/// Returns the number of a run: the second since 1970 times 100, plus its number in that second from 1; `None` for an
/// invalid name.
pub fn number_of(name: &str) -> Option<i64> {
    let (second, number) = match name.match_indices('-').nth(1) {
        Some((place, _)) => (&name[..place], name[place + 1..].parse().ok()?),
        None => (name, 1),
    };
    let time = jiff::civil::DateTime::strptime(FORM, second).ok()?;
    let second = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    let number =
        second.checked_mul(A_SECOND)? + Some(number).filter(|n| (1..=MOST_OF_A_SECOND).contains(n))?;
    // Each number must have one name.
    (name_of_number(number) == name).then_some(number)
}

/// Returns the name of the run with this number.
pub(super) fn name_of_number(number: i64) -> String {
    let second = name_of(number.div_euclid(A_SECOND).saturating_mul(1000));
    match number.rem_euclid(A_SECOND) {
        1 => second,
        number => format!("{second}-{number}"),
    }
}

/// Returns the name of the first run of a second, given by a time in milliseconds since 1970.
pub(super) fn name_of(now: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    time.strftime(FORM).to_string()
}

/// Returns the possible numbers of a run that starts now, in order, after the `newest` run.
pub(super) fn numbers_after(newest: Option<i64>, now: i64) -> impl Iterator<Item = i64> {
    let first = now.div_euclid(1000).saturating_mul(A_SECOND) + 1;
    let first = newest.map_or(first, |newest| first.max(newest.saturating_add(1)));
    (first..).filter(|number| number.rem_euclid(A_SECOND) != 0)
}

/// Returns the possible names of runs that start in the same second.
pub(super) fn names(second: &str) -> impl Iterator<Item = String> {
    (1..=MOST_OF_A_SECOND)
        .map(move |number| if number == 1 { second.to_owned() } else { format!("{second}-{number}") })
}

/// Returns the number of seconds that the name of a run is ahead of this time.
pub(super) fn seconds_ahead(name: &str, now: i64) -> i64 {
    number_of(name).map_or(0, |number| number.div_euclid(A_SECOND) - now.div_euclid(1000)).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_from_names() {
        assert_eq!(number_of("19700101-000001"), Some(101));
        assert_eq!(number_of("19700101-000001-2"), Some(102));
        assert_eq!(number_of("20261122-214410-99"), Some(179_538_385_099));
        for name in [
            "x",
            "",
            "20261122-214410-100",
            "20261122-214410-x",
            "20261322-214410",
            // Other names of runs that there may be.
            "20261122-214410-1",
            "20261122-214410-02",
            "20261122-214410-+2",
            "20261122-214410-0",
            "20261122-21441",
            " 20261122-214410",
        ] {
            assert_eq!(number_of(name), None, "{name}");
        }
        for number in [101, 102, 179_538_385_099] {
            assert_eq!(number_of(&name_of_number(number)), Some(number));
        }
    }

    #[test]
    fn a_new_run_is_behind_all_others() {
        let next = |newest: &str, now| {
            numbers_after(number_of(newest), now).take(2).map(name_of_number).collect::<Vec<_>>()
        };
        assert_eq!(next("", 1_795_383_850_123), ["20261122-214410", "20261122-214410-2"]);
        assert_eq!(next("20261122-214409-7", 1_795_383_850_123)[0], "20261122-214410");
        assert_eq!(next("20261122-214410", 1_795_383_850_123)[0], "20261122-214410-2");
        assert_eq!(next("20300101-000000-98", 0), ["20300101-000000-99", "20300101-000001"]);
        assert_eq!(seconds_ahead("19700101-000005-3", 1_999), 4);
        assert_eq!(seconds_ahead("19700101-000001", 9_000), 0);
    }
}
