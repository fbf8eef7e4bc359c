//! Records of one line.

use std::borrow::Cow;
use std::time::Duration;

use super::groups;
use super::header_words::split;
use super::records::RecordParser;
use crate::location::text_of;
use crate::parser::LintKind;
use crate::parser::control::{Control, Loop, LoopValues, Requirement};
use crate::parser::record::{DatabaseAction, RecordKind};

impl<'s> RecordParser<'_, 's> {
    /// Parses the words of a record of one line; `None` for an unknown first word.
    pub(super) fn control(&mut self) -> Option<RecordKind<'s>> {
        let control = match self.words[0] {
            b"hash-threshold" => self.threshold(),
            b"halt" => self.alone(Control::Halt),
            b"endloop" => self.alone(Control::EndLoop),
            b"continue" => self.alone(Control::Continue),
            b"mode" => self.mode(),
            b"set" => self.set(),
            b"reset" => self.reset(),
            b"loop" => self.counted_loop(false),
            b"concurrentloop" => self.counted_loop(true),
            b"foreach" => self.foreach(false),
            b"concurrentforeach" => self.foreach(true),
            b"require" => self.require(),
            b"require-env" => self.require_environment(),
            b"test-env" => self.test_environment(),
            b"sleep" => self.sleep(),
            b"tags" => self.tags(),
            // Only in the development version.
            b"include" if !self.is_exact() => match self.takes(1, "include PATH") {
                true => Control::Include(self.words[1]),
                false => Control::Ignored,
            },
            b"load" => return Some(RecordKind::Database(self.load())),
            b"restart" => {
                if self.words.get(1) == Some(&&b"no_extension_load"[..]) {
                    self.refuse_words(2);
                } else {
                    self.refuse_words(1);
                }
                return Some(RecordKind::Database(DatabaseAction::Restart));
            }
            b"reconnect" => {
                self.refuse_words(1);
                return Some(RecordKind::Database(DatabaseAction::Reconnect));
            }
            b"unzip" => return Some(RecordKind::Database(self.unzip())),
            _ => return None,
        };
        Some(RecordKind::Control(control))
    }

    /// Returns whether the header has this number of words after the first; otherwise it is malformed.
    fn takes(&mut self, words: usize, usage: &str) -> bool {
        self.takes_between(words, words, usage)
    }

    fn takes_between(&mut self, least: usize, most: usize, usage: &str) -> bool {
        let found = self.words.len() - 1;
        let fits = (least..=most).contains(&found);
        if !fits {
            let line = text_of(self.header.text.trim_ascii());
            self.refuse(format!("expected `{usage}`, found `{line}`"));
        }
        fits
    }

    fn alone(&mut self, control: Control<'s>) -> Control<'s> {
        self.refuse_words(1);
        control
    }

    fn expected(&mut self, what: &str, found: &[u8]) {
        self.refuse(format!("expected {what}, found `{}`", text_of(found)));
    }

    /// Parses a whole number. DuckDB's runner ignores text behind its digits.
    fn number(&mut self, word: &'s [u8]) -> i64 {
        let text = std::str::from_utf8(word).unwrap_or_default();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let length = digits.bytes().take_while(u8::is_ascii_digit).count() + text.len() - digits.len();
        let read = if self.is_exact() { &text[..length] } else { text };
        match read.parse::<i32>() {
            Ok(number) => i64::from(number),
            Err(_) => {
                self.expected("a whole number", word);
                0
            }
        }
    }

    fn threshold(&mut self) -> Control<'s> {
        if !self.takes(1, "hash-threshold NUMBER") {
            return Control::Ignored;
        }
        let number = self.number(self.words[1]);
        if number < 0 && !self.is_exact() {
            self.expected("a number of values", self.words[1]);
        }
        Control::HashThreshold(u64::try_from(number).unwrap_or(0))
    }

    fn mode(&mut self) -> Control<'s> {
        if self.is_exact() && !self.takes(1, "mode MODE") {
            return Control::Ignored;
        }
        let Some(&mode) = self.words.get(1) else {
            self.refuse("expected `skip` or `unskip` after `mode`, found nothing");
            return Control::Ignored;
        };
        if mode != b"skip" {
            self.refuse_words(2);
        }
        match mode {
            b"skip" => Control::BeginSkip,
            b"unskip" => Control::EndSkip,
            // With this mode, DuckDB's runner shows hashes in place of comparing them.
            b"output_hash" | b"no_output" if self.is_exact() => Control::Comparison(mode == b"no_output"),
            b"output_hash" | b"output_result" | b"no_output" | b"debug" => Control::Ignored,
            _ => {
                self.expected("`skip` or `unskip` after `mode`", mode);
                Control::Ignored
            }
        }
    }

    fn set(&mut self) -> Control<'s> {
        let word = self.words.get(1).copied().unwrap_or_default();
        match word {
            b"ignore_error_messages" => Control::IgnoreErrors(self.list(word)),
            b"always_fail_error_messages" => Control::AlwaysFailErrors(self.list(word)),
            b"seed" => {
                if !self.takes(2, "set seed NUMBER") {
                    return Control::Ignored;
                }
                let seed = self.words[2];
                if std::str::from_utf8(seed).ok().and_then(|text| text.parse::<f64>().ok()).is_none() {
                    self.expected("a number after `set seed`", seed);
                }
                Control::Seed(seed)
            }
            b"variable" if !self.is_exact() => {
                if !self.takes(3, "set variable NAME VALUE") {
                    return Control::Ignored;
                }
                Control::SetVariable { name: self.words[2], value: self.words[3] }
            }
            _ => {
                let what =
                    "`ignore_error_messages`, `always_fail_error_messages`, `seed` or `variable` after `set`";
                self.expected(what, word);
                Control::Ignored
            }
        }
    }

    /// Returns the texts behind a word of the header, with commas between them.
    fn list(&self, word: &'s [u8]) -> Vec<&'s [u8]> {
        let line = self.header.text;
        let end =
            self.words.last().map_or(0, |last| last.as_ptr().addr() - line.as_ptr().addr() + last.len());
        let start = word.as_ptr().addr() - line.as_ptr().addr() + word.len();
        let texts = line[start..end].split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        texts.filter(|text| !text.is_empty()).collect()
    }

    fn reset(&mut self) -> Control<'s> {
        if !self.takes(2, "reset label LABEL") {
            return Control::Ignored;
        }
        if !self.words[1].eq_ignore_ascii_case(b"label") {
            self.expected("`label` after `reset`", self.words[1]);
        }
        Control::ResetLabel(self.words[2])
    }

    fn counted_loop(&mut self, concurrent: bool) -> Control<'s> {
        if !self.takes(3, &format!("{} NAME START END", text_of(self.words[0]))) {
            // Its end must not count as one too many.
            return loop_over(Vec::new(), LoopValues::Range { start: 0, end: 1 }, concurrent);
        }
        let (start, end) = (self.number(self.words[2]), self.number(self.words[3]));
        if start >= end {
            self.lint(LintKind::LoopWithoutValues);
        }
        loop_over(vec![self.words[1]], LoopValues::Range { start, end }, concurrent)
    }

    fn foreach(&mut self, concurrent: bool) -> Control<'s> {
        if !self.takes_between(2, usize::MAX, &format!("{} NAME VALUE…", text_of(self.words[0]))) {
            return loop_over(Vec::new(), LoopValues::Range { start: 0, end: 1 }, concurrent);
        }
        let name = self.words[1];
        let variables: Vec<_> = split(name, b",").collect();
        if let Some(variable) = self.engine_variable() {
            return loop_over(variables, variable, concurrent);
        }
        let values = groups::values(&self.words[2..]);
        if values.is_empty() {
            // DuckDB's runner takes it for a loop over numbers.
            self.lint(LintKind::LoopWithoutValues);
            return loop_over(variables, LoopValues::Range { start: 0, end: 0 }, concurrent);
        }
        let tuples: Vec<Vec<Cow<'s, [u8]>>> = match variables.len() {
            0 | 1 => values.into_iter().map(|value| vec![value]).collect(),
            _ => values.iter().map(|value| parts(value)).collect(),
        };
        if let Some(wrong) = tuples.iter().find(|tuple| tuple.len() != variables.len()) {
            let text = wrong.join(&b',');
            self.expected(&format!("a value for each variable of `{}`", text_of(name)), &text);
        }
        loop_over(variables, LoopValues::Tuples(tuples), concurrent)
    }

    /// Parses `<variable:NAME>` and `<variable:CONNECTION:NAME>`, which only the development version knows.
    fn engine_variable(&mut self) -> Option<LoopValues<'s>> {
        let inside = |word: &'s [u8]| word.strip_prefix(b"<variable:")?.strip_suffix(b">");
        let values = &self.words[2..];
        if self.is_exact() || !values.iter().any(|word| inside(word).is_some()) {
            return None;
        }
        let variable = match values {
            [word] => inside(word).unwrap_or_default(),
            _ => {
                self.refuse(
                    "expected `<variable:NAME>` as the only value of the loop, found others beside it",
                );
                b""
            }
        };
        let colon = memchr::memchr(b':', variable);
        let (connection, name) = match colon {
            Some(colon) => (Some(&variable[..colon]), &variable[colon + 1..]),
            None => (None, variable),
        };
        Some(LoopValues::EngineVariable { connection, name })
    }

    fn require(&mut self) -> Control<'s> {
        let Some(&name) = self.words.get(1) else {
            self.refuse("expected `require NAME`, found `require`");
            return Control::Ignored;
        };
        let argument = self.words.get(2).copied();
        let takes_argument =
            [&b"vector_size"[..], b"exact_vector_size", b"block_size", b"ram", b"disk_space"];
        if takes_argument.iter().any(|word| name.eq_ignore_ascii_case(word)) {
            self.takes(2, &format!("require {} NUMBER", text_of(name)));
        } else if name.eq_ignore_ascii_case(b"no_extension_autoloading") {
            let explains =
                argument.is_some_and(|text| text.starts_with(b"\"EXPECTED") || text.starts_with(b"\"FIXME"));
            if !explains {
                self.refuse("expected a text in quotes after `no_extension_autoloading` that begins with EXPECTED or FIXME");
            }
        } else {
            self.refuse_words(2);
        }
        Control::Require(Requirement::Feature { name, argument })
    }

    fn require_environment(&mut self) -> Control<'s> {
        if !self.takes_between(1, 2, "require-env NAME [VALUE]") {
            return Control::Ignored;
        }
        let (name, value) = (self.words[1], self.words.get(2).copied());
        Control::Require(Requirement::Environment { name, value })
    }

    fn test_environment(&mut self) -> Control<'s> {
        if !self.takes(2, "test-env NAME DEFAULT") {
            return Control::Ignored;
        }
        Control::TestEnvironment { name: self.words[1], default: self.words[2] }
    }

    fn sleep(&mut self) -> Control<'s> {
        if !self.takes(2, "sleep NUMBER UNIT") {
            return Control::Ignored;
        }
        let (count, unit) = (self.words[1], self.words[2]);
        let Some(count) = std::str::from_utf8(count).ok().and_then(|text| text.parse::<u32>().ok()) else {
            self.expected("a number after `sleep`", count);
            return Control::Ignored;
        };
        let unit = match unit {
            b"second" | b"seconds" | b"sec" => Duration::from_secs(1),
            b"millisecond" | b"milliseconds" | b"milli" => Duration::from_millis(1),
            b"microsecond" | b"microseconds" | b"micro" => Duration::from_micros(1),
            b"nanosecond" | b"nanoseconds" | b"nano" => Duration::from_nanos(1),
            _ => {
                self.expected("`seconds`, `milliseconds`, `microseconds` or `nanoseconds`", unit);
                Duration::ZERO
            }
        };
        Control::Sleep(unit * count)
    }

    fn tags(&mut self) -> Control<'s> {
        if self.words.len() < 2 {
            self.refuse("expected `tags TAG…`, found `tags`");
        }
        Control::Tags(self.words[1..].to_vec())
    }

    fn load(&mut self) -> DatabaseAction<'s> {
        self.refuse_words(4);
        let path = self.words.get(1).copied();
        let access = self.words.get(2).copied().unwrap_or(b"readwrite");
        let read_only = access.eq_ignore_ascii_case(b"readonly");
        if !read_only && !access.eq_ignore_ascii_case(b"readwrite") {
            self.expected("`readonly` or `readwrite` after the path", access);
        }
        DatabaseAction::Load { path, read_only, version: self.words.get(3).copied() }
    }

    fn unzip(&mut self) -> DatabaseAction<'s> {
        if !self.takes_between(1, 2, "unzip ARCHIVE [FILE]") {
            return DatabaseAction::Unzip { archive: b"", target: None };
        }
        let archive = self.words[1];
        if !archive.ends_with(b".gz") {
            self.expected("an archive with the ending `.gz`", archive);
        }
        let target = self.words.get(2).copied().filter(|target| *target != b"NULL");
        DatabaseAction::Unzip { archive, target }
    }
}

fn loop_over<'s>(variables: Vec<&'s [u8]>, values: LoopValues<'s>, concurrent: bool) -> Control<'s> {
    Control::Loop(Box::new(Loop { variables, values, concurrent }))
}

/// Returns the parts of a value, one for each variable.
fn parts<'s>(value: &Cow<'s, [u8]>) -> Vec<Cow<'s, [u8]>> {
    match value {
        Cow::Borrowed(text) => split(text, b",").map(Cow::Borrowed).collect(),
        Cow::Owned(text) => split(text, b",").map(|part| Cow::Owned(part.to_vec())).collect(),
    }
}
