//! Splits SQL into words: white space is folded where no SQL dialect gives it a meaning.

/// Splits SQL at white space outside of literals, quoted names and comments. If dialects disagree about the end of one
/// of these, the rest of the text is one word.
pub(super) fn words(sql: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = sql.trim_ascii();
    let mut before: &[u8] = b"";
    std::iter::from_fn(move || {
        // No dialect escapes the quote in `ESCAPE '\'`.
        let is_escape = before.eq_ignore_ascii_case(b"ESCAPE") && rest.starts_with(b"'\\'");
        let (word, behind) = rest.split_at(if is_escape { 3 } else { end_of_word(rest) });
        before = word;
        rest = behind.trim_ascii_start();
        (!word.is_empty()).then_some(word)
    })
}

/// Returns the words of the SQL with one blank between them, or a line feed behind a comment that needs it. `buffer` is
/// used only if they do not stand in this way.
pub(super) fn folded<'t>(sql: &'t [u8], buffer: &'t mut Vec<u8>) -> &'t [u8] {
    let sql = sql.trim_ascii();
    // Without an early end, which would be slower than the end itself.
    let pairs = sql.iter().zip(sql.get(1..).unwrap_or_default());
    let has_other_space =
        pairs.fold(false, |has, (&byte, &next)| has | (byte < b' ') | ((byte == b' ') & (next == b' ')));
    if !has_other_space {
        return sql;
    }
    buffer.clear();
    for word in words(sql) {
        buffer.extend_from_slice(word);
        buffer.push(if ends_with_comment(word) { b'\n' } else { b' ' });
    }
    buffer.pop();
    buffer
}

fn end_of_word(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += text[at..].iter().take_while(|&&byte| IS_PLAIN[usize::from(byte)]).count();
        match text.get(at) {
            Some(byte) if !byte.is_ascii_whitespace() => {
                at += length(&text[at..]).unwrap_or(text.len() - at);
            }
            _ => return at,
        }
    }
}

/// Whether a word ends with a comment up to the end of its line.
fn ends_with_comment(word: &[u8]) -> bool {
    let mut rest = word;
    while !rest.is_empty() && !rest.starts_with(b"--") {
        let plain = rest.iter().take_while(|&&byte| IS_PLAIN[usize::from(byte)]).count();
        let length = if plain > 0 { plain } else { length(rest).unwrap_or(rest.len()) };
        rest = &rest[length..];
    }
    !rest.is_empty()
}

/// The bytes that belong to a word and begin nothing else. This check runs for every byte of a suite.
const IS_PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 128 {
        let special = matches!(byte as u8, b'\'' | b'"' | b'`' | b'[' | b'-' | b'/' | b'$');
        plain[byte] = !special && !(byte as u8).is_ascii_whitespace();
        byte += 1;
    }
    plain
};

/// Returns the length of the literal, quoted name, comment or character at the beginning of this text, if it has an
/// end.
fn length(text: &[u8]) -> Option<usize> {
    match text {
        [quote @ (b'\'' | b'"' | b'`'), inside @ ..] => {
            let end = find(inside, &[*quote])?;
            // Dialects disagree about backslashes.
            (!inside[..end].ends_with(b"\\")).then_some(end + 2)
        }
        // A quoted name, or an array.
        [b'[', inside @ ..] => {
            let end = find(inside, b"]")?;
            (!inside[..end].iter().any(|byte| b"'\"`[$".contains(byte))).then_some(end + 2)
        }
        [b'-', b'-', ..] => Some(text[..find(text, b"\n").unwrap_or(text.len())].trim_ascii_end().len()),
        [b'/', b'*', inside @ ..] => Some(find(inside, b"*/")? + 4),
        [b'$', inside @ ..] => match tag(inside) {
            Some(tag) => Some(find(&inside[tag..], &text[..=tag])? + 2 * (tag + 1) - 1),
            None => Some(1),
        },
        _ => Some(1),
    }
}

/// Returns the length of `tag$` in `$tag$`, which quotes text up to the same again.
fn tag(text: &[u8]) -> Option<usize> {
    let length = text.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')?;
    (text[length] == b'$' && !text[0].is_ascii_digit()).then_some(length + 1)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_folded_where_it_has_no_meaning() {
        let (mut buffer, mut all) = (Vec::new(), Vec::new());
        let mut check = |sql: &str, expected: &[&str]| {
            let found: Vec<_> =
                words(sql.as_bytes()).map(|word| std::str::from_utf8(word).unwrap()).collect();
            assert_eq!(found, expected, "{sql}");
            let folded = folded(sql.as_bytes(), &mut buffer);
            assert_eq!(String::from_utf8_lossy(folded).replace('\n', " "), expected.join(" "), "{sql}");
            all.push((expected.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), folded.to_vec()));
        };
        check(" SELECT\t1,\r\n 2 \n", &["SELECT", "1,", "2"]);
        check("a('b  c') || 'd''  e'", &["a('b  c')", "||", "'d''  e'"]);
        check("\"a  b\"  `c  d` [e  f]", &["\"a  b\"", "`c  d`", "[e  f]"]);
        check("SELECT 1 --a\n+1", &["SELECT", "1", "--a", "+1"]);
        check("SELECT 1 --a +1", &["SELECT", "1", "--a +1"]);
        check("SELECT  1 --a +1", &["SELECT", "1", "--a +1"]);
        check("SELECT '--' a", &["SELECT", "'--'", "a"]);
        check("SELECT  '--' a", &["SELECT", "'--'", "a"]);
        check("1--a\n+1", &["1--a", "+1"]);
        check("1--a +1", &["1--a +1"]);
        check("SELECT 1 --a +1 \r\n;", &["SELECT", "1", "--a +1", ";"]);
        check("1 --it's\n  2", &["1", "--it's", "2"]);
        check("1/* a  ' b */  2 /* a", &["1/* a  ' b */", "2", "/* a"]);
        check("$$ a  b $$  $x$ $$ ' $x$  $1  $2", &["$$ a  b $$", "$x$ $$ ' $x$", "$1", "$2"]);
        check("$a  :b  5$", &["$a", ":b", "5$"]);
        // The end of the literal is ambiguous.
        check("'a\\'  b  ' c", &["'a\\'  b  ' c"]);
        check("['a]  b'] c  d", &["['a]  b'] c  d"]);
        check("'a  b", &["'a  b"]);
        check("a LIKE '1\\%' ESCAPE '\\'\n AND b", &["a", "LIKE", "'1\\%'", "ESCAPE", "'\\'", "AND", "b"]);
        check("  ", &[]);
        for (words, text) in &all {
            for (others, other) in &all {
                assert_eq!(text == other, words == others, "{words:?} {others:?}");
            }
        }
    }
}
