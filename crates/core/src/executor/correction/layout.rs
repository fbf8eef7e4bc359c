//! Writes rows in the layout of the lines around them: tabs, columns at the same places, or blanks.

/// A word of a line and its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PlacedWord {
    start: usize,
    end: usize,
}

fn words(line: &[u8]) -> Vec<PlacedWord> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in line.iter().chain(b" ").enumerate() {
        match (byte.is_ascii_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(begin)) => {
                words.push(PlacedWord { start: begin, end: at });
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// The layout of the lines of a result.
#[derive(Debug)]
pub(super) struct RowLayout {
    /// The places at which the first words of all lines that stay begin; empty without columns.
    starts: Vec<usize>,
    /// Whether tabs stand between the words.
    has_tabs: bool,
}

impl RowLayout {
    /// Takes the layout from lines that stay.
    pub(super) fn of_lines<'l>(lines: impl Iterator<Item = &'l [u8]>) -> Self {
        let lines: Vec<&[u8]> = lines.collect();
        let has_tabs = !lines.is_empty() && lines.iter().all(|line| line.contains(&b'\t'));
        let starts = |line: &[u8]| words(line).iter().map(|word| word.start).collect::<Vec<_>>();
        let mut common = lines.first().map(|line| starts(line)).unwrap_or_default();
        for line in &lines {
            let same = common.iter().zip(starts(line)).take_while(|(one, other)| **one == *other).count();
            common.truncate(same);
        }
        // Single blanks show no columns.
        let has_columns = !has_tabs && common.len() > 1 && lines.iter().any(|line| has_wide_gap(line));
        Self { starts: if has_columns { common } else { Vec::new() }, has_tabs }
    }

    /// Returns a line of these words. Without columns in the lines that stay, the white space is that of the line
    /// `replaced`, if it has as many words; else `None`.
    pub(super) fn line(&self, texts: &[&[u8]], replaced: Option<&[u8]>) -> Option<Vec<u8>> {
        if self.has_tabs {
            return Some(texts.join(&b'\t'));
        }
        if !self.starts.is_empty() && texts.len() > 1 {
            return Some(in_columns(texts, &self.starts));
        }
        let template = replaced?;
        let places = words(template);
        if places.len() != texts.len() || places.is_empty() {
            return None;
        }
        let (mut line, mut end) = (Vec::new(), 0);
        for (text, place) in texts.iter().zip(&places) {
            line.extend_from_slice(&template[end..place.start]);
            line.extend_from_slice(text);
            end = place.end;
        }
        line.extend_from_slice(&template[end..]);
        Some(line)
    }
}

fn has_wide_gap(line: &[u8]) -> bool {
    words(line).windows(2).any(|pair| pair[1].start - pair[0].end > 1)
}

/// Lets each word begin at its place, or after a blank if the one before is too long.
fn in_columns(texts: &[&[u8]], starts: &[usize]) -> Vec<u8> {
    let mut line = Vec::new();
    let places = starts.iter().copied().chain(std::iter::repeat(0));
    for (text, start) in texts.iter().zip(places) {
        if !line.is_empty() && line.len() >= start {
            line.push(b' ');
        }
        line.resize(line.len().max(start), b' ');
        line.extend_from_slice(text);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kept: &[&str], texts: &[&str], replaced: Option<&str>, expected: Option<&str>) {
        let layout = RowLayout::of_lines(kept.iter().map(|line| line.as_bytes()));
        let texts: Vec<_> = texts.iter().map(|text| text.as_bytes()).collect();
        let line = layout.line(&texts, replaced.map(str::as_bytes));
        assert_eq!(line.map(|line| String::from_utf8(line).unwrap()).as_deref(), expected, "{kept:?}");
    }

    #[test]
    fn rows_look_like_their_neighbours() {
        check(&["1   a", "22  b"], &["333", "c"], Some("x c"), Some("333 c"));
        check(&["1   a", "22  b"], &["3", "c"], None, Some("3   c"));
        check(&["1   a", "22  b"], &["4444", "c"], None, Some("4444 c"));
        check(&["1 a", "22 b"], &["3", "c"], Some("x  c"), Some("3  c"));
        check(&[], &["3", "c"], Some("x\tc "), Some("3\tc "));
        check(&[], &["3", "c"], Some("x"), None);
        check(&["1  a"], &["3", "c", "d"], None, Some("3  c d"));
        check(&["1  a", "2  b c"], &["3", "d"], None, Some("3  d"));
        check(&["1\ta", "2\tb"], &["3", "c"], Some("x y"), Some("3\tc"));
    }
}
