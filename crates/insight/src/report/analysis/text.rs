//! Formats an analysis for the screen.

use std::fmt::{self, Write as _};

use super::words::{limits, punchline, selected, trend};
use super::{AnalysisSection, AnalysisView, coverage};
use crate::analysis::Cluster;
use crate::report::cluster::{fix_columns, notes, title, wrong};
use crate::report::runs;
use slt_runner::text::style::Role;
use slt_runner::text::table::table;
use slt_runner::text::visible::one_line;

/// The number of clusters and examples that are shown by default.
const MOST_CLUSTERS: usize = 10;
const MOST_EXAMPLES: usize = 5;
const MOST_SQL_LINES: usize = 12;
/// The longest title of a cluster in a table, in characters.
const LONGEST: usize = 100;

/// Writes the sections, or the most useful parts if none is named.
pub fn write(out: &mut String, view: &AnalysisView<'_>, sections: &[AnalysisSection]) -> fmt::Result {
    writeln!(out, "run {} on {}", view.run, view.report.header.engine)?;
    if let Some(selection) = view.selection {
        writeln!(out, "{}", selected(selection, view))?;
    }
    for line in punchline(view) {
        writeln!(out, "{}", Role::Strong.paint(line))?;
    }
    let clusters = &view.analysis.clusters;
    if sections.is_empty() {
        if let Some(trend) = trend(view) {
            writeln!(out, "{trend}")?;
        }
        if !clusters.is_empty() {
            fixes(out, view, MOST_CLUSTERS)?;
            examples(out, view, MOST_EXAMPLES)?;
        }
    }
    for section in sections {
        match section {
            AnalysisSection::Fixes if !clusters.is_empty() => fixes(out, view, usize::MAX)?,
            AnalysisSection::Patterns if !clusters.is_empty() => patterns(out, view)?,
            AnalysisSection::Examples if !clusters.is_empty() => examples(out, view, usize::MAX)?,
            AnalysisSection::Trend => {
                if let Some(trend) = trend(view) {
                    writeln!(out, "{trend}")?;
                }
                writeln!(out)?;
                runs::write(out, &view.trend.runs)?;
                view.trend.text(out)?;
            }
            AnalysisSection::Coverage => {
                if let Some(map) = view.coverage {
                    coverage::text(out, map, view)?;
                }
            }
            AnalysisSection::Fixes | AnalysisSection::Patterns | AnalysisSection::Examples => {}
        }
    }
    for limit in limits(view) {
        writeln!(out, "{} {limit}", Role::Warn.paint("note:"))?;
    }
    let next = clusters.iter().filter_map(|cluster| view.sample(cluster)).map(|sample| view.again(&sample));
    match next.into_iter().find(|again| !again.is_empty()) {
        Some(again) if sections.is_empty() => writeln!(out, "{} {again}", Role::Hint.paint("next:")),
        _ => Ok(()),
    }
}

fn shortened(text: String) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn fixes(out: &mut String, view: &AnalysisView<'_>, most: usize) -> fmt::Result {
    let clusters = &view.analysis.clusters;
    let rows = clusters.iter().take(most).enumerate().map(|(place, cluster)| {
        let mut row = Vec::from(fix_columns(place, cluster));
        row.push(shortened(title(cluster)));
        row
    });
    let headers = ["fix", "records", "files", "alone", "green", "what"];
    writeln!(out, "\n{}", table(&headers, rows, |column| column + 1 < headers.len()))?;
    writeln!(
        out,
        "{}",
        Role::Faint.paint("alone: files that it turns green by itself; green: files that are green after it")
    )?;
    match clusters.len().saturating_sub(most) {
        0 => writeln!(out),
        more => writeln!(out, "… and {more} more clusters; --top-fixes shows all\n"),
    }
}

fn patterns(out: &mut String, view: &AnalysisView<'_>) -> fmt::Result {
    let clusters = view.by_records();
    let rows = clusters.iter().map(|(columns, _, cluster)| {
        let mut row = columns.to_vec();
        row.push(shortened(title(cluster)));
        row
    });
    let headers = ["records", "share", "files", "fix", "what"];
    writeln!(out, "\n{}\n", table(&headers, rows, |column| column + 1 < headers.len()))?;
    let noted = clusters.iter().map(|&(_, place, cluster)| (place, cluster, notes(cluster)));
    for (place, cluster, notes) in noted.filter(|(_, _, notes)| !notes.is_empty()) {
        writeln!(out, "fix {}: {}", place + 1, shortened(title(cluster)))?;
        notes.iter().try_for_each(|note| writeln!(out, "  {note}"))?;
    }
    writeln!(out)
}

fn examples(out: &mut String, view: &AnalysisView<'_>, most: usize) -> fmt::Result {
    let clusters = &view.analysis.clusters;
    for (place, cluster) in clusters.iter().take(most).enumerate() {
        example(out, view, place, cluster)?;
    }
    match clusters.len().saturating_sub(most) {
        0 => Ok(()),
        more => writeln!(out, "… and {more} more examples; --examples shows all\n"),
    }
}

fn example(out: &mut String, view: &AnalysisView<'_>, place: usize, cluster: &Cluster) -> fmt::Result {
    let name = format!("fix {}: {}", place + 1, shortened(title(cluster)));
    writeln!(out, "{}", Role::Strong.paint(name))?;
    notes(cluster).iter().try_for_each(|note| writeln!(out, "  {}", Role::Faint.paint(note)))?;
    let Some(sample) = view.sample(cluster) else {
        let files = cluster.files.iter().map(|&file| one_line(&view.report.files[file].shown));
        return writeln!(out, "  {}\n", files.collect::<Vec<_>>().join(", "));
    };
    writeln!(out, "  {}", sample.place())?;
    let sql: Vec<_> = sample.sql.unwrap_or_default().lines().collect();
    sql.iter().take(MOST_SQL_LINES).try_for_each(|line| writeln!(out, "      {line}"))?;
    if sql.len() > MOST_SQL_LINES {
        writeln!(out, "      … {} more lines", sql.len() - MOST_SQL_LINES)?;
    }
    if let Some(detail) = sample.detail {
        writeln!(out, "  {}", Role::Warn.paint(wrong(detail)))?;
    }
    let again = view.again(&sample);
    if !again.is_empty() {
        writeln!(out, "  {} {again}", Role::Hint.paint("again:"))?;
    }
    writeln!(out)
}
