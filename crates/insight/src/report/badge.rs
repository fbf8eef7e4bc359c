//! Writes the JSON for an endpoint badge of shields.io.

use serde::Serialize;

use super::subject::Subject;
use slt_runner::text::count::{percent, thousands};

/// The minimum pass rate of each colour, in percent.
const COLOURS: [(f64, &str); 4] =
    [(80.0, "brightgreen"), (60.0, "green"), (40.0, "yellow"), (20.0, "orange")];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Badge {
    schema_version: u32,
    label: &'static str,
    message: String,
    color: &'static str,
}

/// Makes the badge with the pass rate of a run.
pub fn document(subject: &Subject<'_>) -> String {
    let rate = subject.report.totals().records.pass_rate();
    let message = message(rate, subject.report.files.len() as u64, subject.report.header.files as u64);
    // An incomplete run must not look green.
    let color = if subject.report.untested() > 0 { "lightgrey" } else { colour(rate) };
    let badge = Badge { schema_version: 1, label: "sqllogictest", message, color };
    // Serializing a struct of texts and numbers cannot fail.
    serde_json::to_string(&badge).unwrap_or_default() + "\n"
}

fn message(rate: Option<f64>, tested: u64, all: u64) -> String {
    match rate {
        rate if tested == all => rate.map_or_else(|| "no results".to_owned(), |rate| percent(Some(rate))),
        // A pass rate of some files must not look like that of all.
        rate => {
            let (rate, tested, all) = (percent(rate), thousands(tested), thousands(all));
            format!("INCOMPLETE: {rate} of {tested} of {all} files")
        }
    }
}

fn colour(rate: Option<f64>) -> &'static str {
    let Some(rate) = rate else { return "lightgrey" };
    COLOURS.iter().find(|(least, _)| rate * 100.0 >= *least).map_or("red", |(_, colour)| colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_some_files_is_not_one_of_all() {
        assert_eq!(message(Some(0.5), 1_000, 1_000), "50.00 %");
        assert_eq!(message(Some(0.5), 3, 1_000), "INCOMPLETE: 50.00 % of 3 of 1,000 files");
        assert_eq!(message(None, 0, 1_000), "INCOMPLETE: - of 0 of 1,000 files");
        assert_eq!(message(None, 2, 2), "no results");
    }

    #[test]
    fn colours_by_rate() {
        for (rate, expected) in [
            (Some(1.0), "brightgreen"),
            (Some(0.8), "brightgreen"),
            (Some(0.799), "green"),
            (Some(0.6), "green"),
            (Some(0.4), "yellow"),
            (Some(0.2), "orange"),
            (Some(0.199), "red"),
            (Some(0.0), "red"),
            (None, "lightgrey"),
        ] {
            assert_eq!(colour(rate), expected, "{rate:?}");
        }
    }
}
