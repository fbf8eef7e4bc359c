//! The layout of progress in a terminal of any size, as a pure function.

use std::time::Duration;

use slt_runner::text::count::{plural, thousands};
use slt_runner::text::style::{Role, rendered};

/// The state of a run in progress.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgressView {
    /// The number of files; unknown to a helper of the run.
    pub(super) files: Option<u64>,
    /// The number of finished files.
    pub(super) done: u64,
    /// The number of finished files that have not passed.
    pub(super) failing: u64,
    /// The number of records in finished files.
    pub(super) records: u64,
    pub(super) elapsed: Duration,
    /// The estimated remaining time.
    pub(super) left: Option<Duration>,
    /// The running files with their durations, in the order of their starts.
    pub(super) running: Vec<(Duration, String)>,
}

/// The size of a terminal in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct TerminalSize {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// The minimum and maximum width of the bar, and the minimum width of a terminal for a bar.
const SHORT_BAR: usize = 10;
const LONG_BAR: usize = 24;
const NARROW: usize = 60;
/// The number of rows that show no files: those above the bar, and the bar.
const FREE: usize = 3;
const GAP: &str = "  ";

/// Lays out sums with a bar, and below them a line for each running file. The lines fit the terminal.
pub(super) fn layout(view: &ProgressView, size: TerminalSize, color: bool) -> Vec<String> {
    // A character in the last column makes some terminals wrap.
    let columns = size.columns.saturating_sub(1).max(1);
    let sums = sums(view);
    let mut lines = match view.files {
        Some(files) if columns >= NARROW => {
            let others: usize = sums.iter().map(|sum| GAP.len() + width(sum)).sum();
            let bar = columns.saturating_sub(others).clamp(SHORT_BAR, LONG_BAR);
            let mut lines = flow(&sums, columns, bar + GAP.len());
            lines[0] = format!("{}{GAP}{}", draw_bar(view.done, files, bar, color), lines[0]);
            lines
        }
        _ => flow(&sums, columns, 0),
    };
    let room = (size.rows.saturating_sub(FREE) + 1).saturating_sub(lines.len()).max(1);
    let all = view.running.len();
    // The line with the number of other files needs space, too.
    let shown = if all <= room { all } else { room - 1 };
    lines.extend(view.running.iter().take(shown).map(|(elapsed, file)| file_line(*elapsed, file, columns)));
    if all > shown {
        lines.push(cut(&format!("  … and {} more", all - shown), columns));
    }
    lines
}

/// Returns the sums, the most important first.
fn sums(view: &ProgressView) -> Vec<String> {
    let mut sums = vec![
        match view.files {
            Some(files) => format!("{}/{} files", thousands(view.done), thousands(files)),
            None => format!("{} done", plural(view.done, "file")),
        },
        format!("{} not passed", thousands(view.failing)),
        plural(view.records, "record"),
    ];
    let elapsed = short(view.elapsed);
    sums.push(match view.left {
        Some(left) => format!("{elapsed}, about {} left", short(left)),
        None => elapsed,
    });
    sums
}

/// Joins pieces to lines; the first line has `in_front` columns less.
fn flow(pieces: &[String], columns: usize, in_front: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces {
        let front = if lines.len() == 1 { in_front } else { 0 };
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            *line = cut(piece, columns - front);
        } else if front + width(line) + GAP.len() + width(piece) <= columns {
            *line += GAP;
            *line += piece;
        } else {
            lines.push(cut(piece, columns));
        }
    }
    lines
}

fn draw_bar(done: u64, files: u64, columns: usize, color: bool) -> String {
    let done = done.min(files) as usize * columns / files.max(1) as usize;
    let full = "█".repeat(done);
    let full = if color { rendered(Role::Pass.paint(full).to_string().as_bytes()) } else { full };
    format!("{full}{}", "░".repeat(columns - done))
}

fn file_line(elapsed: Duration, file: &str, columns: usize) -> String {
    let time = format!("{:>6}{GAP}", short(elapsed));
    let name = cut(file, columns.saturating_sub(width(&time)));
    cut(&format!("{time}{name}"), columns)
}

/// Formats a duration for a column: `12s`, `3m20s`, `12h05m`.
fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Shortens `text` in the middle: the end of a path identifies the file, the start its location.
fn cut(text: &str, columns: usize) -> String {
    let count = width(text);
    if count <= columns {
        return text.to_owned();
    }
    let kept = columns.saturating_sub(1);
    let front = kept / 3;
    let behind = text.chars().skip(count - (kept - front));
    text.chars().take(front).chain(std::iter::once('…').take(columns)).chain(behind).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn view(running: usize) -> ProgressView {
        let file =
            |number| (Duration::from_secs(number * 50), format!("suite/joins/part{number}/outer.test"));
        ProgressView {
            files: Some(622),
            done: 311,
            failing: 3,
            records: 5_746_335,
            elapsed: Duration::from_secs(200),
            left: Some(Duration::from_secs(12_345)),
            running: (0..running as u64).map(file).collect(),
        }
    }

    fn draw(running: usize, columns: usize, rows: usize) -> String {
        layout(&view(running), TerminalSize { columns, rows }, false).join("\n")
    }

    #[test]
    fn a_wide_terminal() {
        assert_snapshot!(draw(2, 110, 24), @"
        ████████████░░░░░░░░░░░░  311/622 files  3 not passed  5,746,335 records  3m20s, about 3h25m left
            0s  suite/joins/part0/outer.test
           50s  suite/joins/part1/outer.test
        ");
    }

    #[test]
    fn a_process_that_helps() {
        let view = ProgressView { files: None, left: None, ..view(1) };
        assert_snapshot!(layout(&view, TerminalSize { columns: 80, rows: 24 }, false).join("\n"), @"
        311 files done  3 not passed  5,746,335 records  3m20s
            0s  suite/joins/part0/outer.test
        ");
    }

    #[test]
    fn a_narrow_terminal() {
        assert_snapshot!(draw(2, 40, 24), @"
        311/622 files  3 not passed
        5,746,335 records
        3m20s, about 3h25m left
            0s  suite/joins/part0/outer.test
           50s  suite/joins/part1/outer.test
        ");
        assert_snapshot!(draw(1, 12, 24), @"
        311…2 files
        3 n… passed
        5,7…records
        3m2…5m left
            0s  …st
        ");
    }

    #[test]
    fn a_low_terminal_and_many_workers() {
        assert_snapshot!(draw(16, 80, 8), @"
        █████░░░░░  311/622 files  3 not passed  5,746,335 records
        3m20s, about 3h25m left
            0s  suite/joins/part0/outer.test
           50s  suite/joins/part1/outer.test
         1m40s  suite/joins/part2/outer.test
          … and 13 more
        ");
    }

    #[test]
    fn the_end_of_a_long_name_is_seen() {
        assert_eq!(cut("a/long/way/down/to/a.test", 15), "a/lo…/to/a.test");
        for (columns, text) in [(5, "ä/x.t"), (4, "ä….t"), (2, "…t"), (1, "…"), (0, "")] {
            assert_eq!(cut("ä/x.t", columns), text);
        }
    }

    proptest! {
        #[test]
        fn it_fits(
            running in 0_usize..40, columns in 1_usize..200, rows in 1_usize..60,
            files in proptest::option::of(0_u64..2_000_000), done in 0_u64..2_000_000, seconds in 0_u64..1_000_000,
        ) {
            let left = (seconds % 3 > 0).then(|| Duration::from_secs(seconds / 2));
            let view = ProgressView { files, done, elapsed: Duration::from_secs(seconds), left, ..view(running) };
            let lines = layout(&view, TerminalSize { columns, rows }, false);
            for line in &lines {
                prop_assert!(width(line) < columns.max(2), "{line}");
            }
            let sums = lines.len() - running.min(lines.iter().filter(|line| line.ends_with(".test")).count());
            prop_assert!(lines.len() <= rows.max(sums + 1), "{lines:#?}");
            // Every file is there or counted.
            if let Some(more) = lines.iter().find_map(|line| line.strip_prefix("  … and ")) {
                let more: usize = more.trim_end_matches(" more").parse().unwrap();
                prop_assert_eq!(more + lines.iter().filter(|line| line.ends_with("st")).count(), running);
            }
        }
    }
}
