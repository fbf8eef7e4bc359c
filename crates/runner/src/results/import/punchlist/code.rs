//! Code within a line of Markdown.

/// What is in the code that a text begins with, and what comes behind it. A blank on each side belongs to the marks where
/// they could not be told from the code without it.
pub(super) fn code(text: &str) -> Option<(&str, &str)> {
    let marks = text.len() - text.trim_start_matches('`').len();
    if marks == 0 {
        return None;
    }
    let (fence, rest) = text.split_at(marks);
    let mut from = 0;
    loop {
        let start = from + rest[from..].find('`')?;
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        if run == fence.len() {
            return Some((bare(&rest[..start]), &rest[start + run..]));
        }
        from = start + run;
    }
}

fn bare(code: &str) -> &str {
    let within = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
    match within {
        Some(within) if within.is_empty() || within.starts_with('`') || within.ends_with('`') => within,
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_where_its_marks_do() {
        for (text, expected) in [
            ("`a b` - c", Some(("a b", " - c"))),
            ("``a`b``", Some(("a`b", ""))),
            ("`` `a` ``x", Some(("`a`", "x"))),
            ("` a `", Some((" a ", ""))),
            ("`  `", Some(("", ""))),
            ("`a``", None),
            ("a`b`", None),
            ("", None),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
