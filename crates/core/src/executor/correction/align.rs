//! Finds the lines of an expectation that can stay.

/// The lines of a new result: the place of an expected line that stays, or a new line with the expected line that it
/// replaces, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlignedLine {
    /// The expected line at `old` stays for the new line.
    Kept { old: usize },
    /// The new line takes the place of an expected line.
    New { new: usize, replaces: Option<usize> },
}

/// The largest table that is filled to find the most lines that can stay.
const LARGEST_TABLE: usize = 4_000_000;

/// Aligns `old` expected lines with `new` lines in their order, so that many expected lines stay.
pub(super) fn align(old: usize, new: usize, same: &dyn Fn(usize, usize) -> bool) -> Vec<AlignedLine> {
    let most = old.min(new);
    let front = (0..most).take_while(|&at| same(at, at)).count();
    let back = (0..most - front).take_while(|&at| same(old - 1 - at, new - 1 - at)).count();
    let mut lines: Vec<_> = (0..front).map(|old| AlignedLine::Kept { old }).collect();
    let (olds, news) = (front..old - back, front..new - back);
    let pairs = if olds.len().saturating_mul(news.len()) <= LARGEST_TABLE {
        common(olds.clone(), news.clone(), same)
    } else {
        Vec::new()
    };
    let (mut next_old, mut next_new) = (olds.start, news.start);
    for (one, other) in pairs.into_iter().chain([(olds.end, news.end)]) {
        for new in next_new..other {
            let replaces = Some(next_old).filter(|&old| old < one);
            next_old += usize::from(replaces.is_some());
            lines.push(AlignedLine::New { new, replaces });
        }
        if one < olds.end {
            lines.push(AlignedLine::Kept { old: one });
        }
        (next_old, next_new) = (one + 1, other + 1);
    }
    lines.extend((old - back..old).map(|old| AlignedLine::Kept { old }));
    lines
}

/// Returns the longest common subsequence of two ranges of lines.
fn common(
    olds: std::ops::Range<usize>,
    news: std::ops::Range<usize>,
    same: &dyn Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let (rows, columns) = (olds.len(), news.len());
    let width = columns + 1;
    // The length of the longest common subsequence behind each pair of lines.
    let mut table = vec![0_u32; (rows + 1) * width];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let at = row * width + column;
            table[at] = if same(olds.start + row, news.start + column) {
                table[at + width + 1] + 1
            } else {
                table[at + width].max(table[at + 1])
            };
        }
    }
    let (mut pairs, mut row, mut column) = (Vec::new(), 0, 0);
    while row < rows && column < columns {
        let at = row * width + column;
        if same(olds.start + row, news.start + column) {
            pairs.push((olds.start + row, news.start + column));
            (row, column) = (row + 1, column + 1);
        } else if table[at + width] >= table[at + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

/// Matches lines in any order, where both sides are sorted before they are compared: expected lines that occur in the
/// result stay in their place, and the others are replaced.
pub(super) fn match_unordered(
    old: usize,
    new: usize,
    same: &dyn Fn(usize, usize) -> bool,
) -> Vec<AlignedLine> {
    if old.saturating_mul(new) > LARGEST_TABLE {
        return align(old, new, same);
    }
    let mut is_used = vec![false; new];
    let matched: Vec<bool> = (0..old)
        .map(|old| match (0..new).find(|&at| !is_used[at] && same(old, at)) {
            Some(found) => {
                is_used[found] = true;
                true
            }
            None => false,
        })
        .collect();
    let mut rest = (0..new).filter(|&at| !is_used[at]);
    let mut lines = Vec::with_capacity(new);
    for (old, stays) in matched.into_iter().enumerate() {
        if stays {
            lines.push(AlignedLine::Kept { old });
        } else if let Some(new) = rest.next() {
            lines.push(AlignedLine::New { new, replaces: Some(old) });
        }
    }
    lines.extend(rest.map(|new| AlignedLine::New { new, replaces: None }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows kept lines as they are, and new ones with the line that they replace.
    fn shown(lines: &[AlignedLine], old: &str, new: &str) -> String {
        let letter = |text: &str, at: usize| char::from(text.as_bytes()[at]);
        let lines = lines.iter().map(|line| match *line {
            AlignedLine::Kept { old: at } => letter(old, at).to_string(),
            AlignedLine::New { new: at, replaces: None } => format!("+{}", letter(new, at)),
            AlignedLine::New { new: at, replaces: Some(place) } => {
                format!("{}>{}", letter(old, place), letter(new, at))
            }
        });
        lines.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn as_many_lines_as_possible_stay() {
        for (old, new, in_order, unordered) in [
            ("abc", "abc", "a b c", "a b c"),
            ("axc", "abc", "a x>b c", "a x>b c"),
            ("abc", "ac", "a c", "a c"),
            ("ac", "abc", "a +b c", "a c +b"),
            ("", "ab", "+a +b", "+a +b"),
            ("ab", "", "", ""),
            ("bxa", "abc", "a +b +c", "b x>c a"),
            ("xbyd", "abcd", "x>a b y>c d", "x>a b y>c d"),
            ("aab", "aba", "a b +a", "a a b"),
        ] {
            let same = |one: usize, other: usize| old.as_bytes()[one] == new.as_bytes()[other];
            assert_eq!(shown(&align(old.len(), new.len(), &same), old, new), in_order, "{old} {new}");
            let found = match_unordered(old.len(), new.len(), &same);
            assert_eq!(shown(&found, old, new), unordered, "{old} {new}");
        }
    }
}
