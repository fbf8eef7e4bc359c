//! Writes one self-contained HTML page: no network, no fonts, no other file.
//!
//! The page is a template, a style sheet and scripts, which are the same for all runs, and the data of the run as JSON.
//! No text of the run becomes markup: in the JSON each `<` is escaped, the scripts insert text as text only, and the
//! policy of the page lets a browser execute only the scripts of this template.

mod choice;
mod clusters;
mod data;
mod file;
mod since;
mod timings;

use std::io::{self, Write};

use self::data::data;
use super::subject::Subject;
use slt_core::outcome::Digest;
use slt_runner::text::count::percent;

const TEMPLATE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPTS: [&str; 7] = [
    include_str!("html/build.js"),
    include_str!("html/charts.js"),
    include_str!("html/files.js"),
    include_str!("html/causes.js"),
    include_str!("html/since.js"),
    include_str!("html/timings.js"),
    include_str!("html/page.js"),
];

/// Writes the page. Its size is bounded: surplus details are omitted, and the page states how many.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(out: &mut impl Write, subject: &Subject<'_>) -> io::Result<()> {
    let totals = subject.report.totals();
    let data = serde_json::to_string(&data(subject, &totals))?.replace('<', "\\u003c");
    // The author of a text in the run cannot predict the nonce, because it depends on that text.
    let nonce = Digest::from_words([data.as_bytes()]).to_string();
    let rate = percent(totals.records.pass_rate());
    let incomplete = if subject.report.is_incomplete() { "INCOMPLETE: " } else { "" };
    let title = format!("{incomplete}{rate} of records pass on {}", subject.report.header.engine);
    let mut pieces = TEMPLATE.split("{{");
    out.write_all(pieces.next().unwrap_or_default().as_bytes())?;
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        match name {
            "nonce" => out.write_all(nonce.as_bytes())?,
            "title" => out.write_all(escaped(&title).as_bytes())?,
            "sentence" => out.write_all(escaped(&subject.sentence(&totals)).as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "data" => out.write_all(data.as_bytes())?,
            "scripts" => SCRIPTS.iter().try_for_each(|script| out.write_all(script.as_bytes()))?,
            _ => {}
        }
        out.write_all(rest.as_bytes())?;
    }
    Ok(())
}

/// Escapes the text that is visible without scripts.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_each_piece() {
        for name in ["nonce", "title", "sentence", "style", "data", "scripts"] {
            assert!(TEMPLATE.contains(&format!("{{{{{name}}}}}")), "{name}");
        }
    }

    #[test]
    fn scripts_make_no_markup_of_text() {
        let all = SCRIPTS.concat();
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "DOMParser",
        ] {
            assert!(!all.contains(word), "{word}");
        }
        for word in ["http:", "https:", "//cdn", "@import", "url("] {
            assert!(!STYLE.contains(word) && !TEMPLATE.contains(word), "{word}");
        }
    }
}
