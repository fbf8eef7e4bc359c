//! Parses points in time of other programs.

/// Parses a point in time to milliseconds since 1970. A time without a zone is UTC.
pub(in super::super) fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    let time: jiff::civil::DateTime = text.parse().ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (text, milliseconds) in [
            ("1970-01-01 00:00:01.500000", Some(1_500)),
            ("1970-01-01T00:00:02", Some(2_000)),
            ("1970-01-01T01:00:03+01:00", Some(3_000)),
            ("1970-01-01T00:00:04Z", Some(4_000)),
            ("yesterday", None),
        ] {
            assert_eq!(moment(text), milliseconds, "{text}");
        }
    }
}
