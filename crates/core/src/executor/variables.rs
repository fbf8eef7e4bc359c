//! The variables of a file, and their replacement in records.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::host::Host;
use crate::location::text_of;
use crate::parser::VariableSyntax;

/// The variables of a file.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// The variables of the loops around the record, the outermost first.
    loops: Vec<(Vec<u8>, Vec<u8>)>,
    named: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A piece of text in which a variable cannot be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubstitutionError {
    /// The name has no value.
    #[error("cannot replace `{0}`: no variable has this name")]
    Unknown(String),
    /// A `${` without its `}`, or without a name.
    #[error("cannot replace `{0}`: expected `$name`, `${{name}}` or `${{name:default}}`")]
    Syntax(String),
    /// A backslash before a character that needs none.
    #[error("cannot replace `{0}`: a backslash stands only before `\\`, `$`, `{{`, `}}` and `:`")]
    Escape(String),
}

impl Variables {
    /// Sets a variable.
    pub fn set(&mut self, name: &[u8], value: impl Into<Vec<u8>>) {
        self.named.insert(name.to_vec(), value.into());
    }

    pub(super) fn enter_loop(&mut self, name: &[u8], value: &[u8]) {
        self.loops.push((name.to_vec(), value.to_vec()));
    }

    pub(super) fn leave_loop(&mut self, variables: usize) {
        self.loops.truncate(self.loops.len() - variables);
    }

    /// Returns the value of a variable of the loops around the record.
    pub(super) fn in_loop(&self, name: &[u8]) -> Option<&[u8]> {
        let found = self.loops.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_slice())
    }

    /// Returns the variables of the loops, as `i=1, j=2`; `None` outside of loops.
    pub(super) fn iteration(&self) -> Option<String> {
        let pairs = self.loops.iter().map(|(name, value)| format!("{}={}", text_of(name), text_of(value)));
        (!self.loops.is_empty()).then(|| pairs.collect::<Vec<_>>().join(", "))
    }

    fn get(&self, name: &[u8], host: &dyn Host) -> Option<Cow<'_, [u8]>> {
        let own = self.in_loop(name).or_else(|| self.named.get(name).map(Vec::as_slice));
        own.map(Cow::Borrowed).or_else(|| host.place(name).map(Cow::Owned))
    }

    /// Replaces the variables in a text.
    ///
    /// # Errors
    ///
    /// [`SubstitutionError`] when a variable cannot be replaced.
    pub fn substitute<'t>(
        &self,
        text: Cow<'t, [u8]>,
        syntax: VariableSyntax,
        host: &dyn Host,
    ) -> Result<Cow<'t, [u8]>, SubstitutionError> {
        match syntax {
            VariableSyntax::None => Ok(text),
            VariableSyntax::Dollar => Ok(self.known_dollars(text)),
            VariableSyntax::DollarOnRequest => {
                if memchr::memchr2(b'$', b'\\', &text).is_none() {
                    return Ok(text);
                }
                let mut out = Vec::with_capacity(text.len());
                let rest = self.dollars(&text, false, host, &mut out)?;
                debug_assert!(rest.is_empty());
                Ok(Cow::Owned(out))
            }
            VariableSyntax::Braces => Ok(self.braces(text, host)),
        }
    }

    /// Replaces `$name` of known variables; everything else stays, like the placeholder `$1`.
    fn known_dollars<'t>(&self, text: Cow<'t, [u8]>) -> Cow<'t, [u8]> {
        if self.named.is_empty() || memchr::memchr(b'$', &text).is_none() {
            return text;
        }
        let mut out = Vec::with_capacity(text.len());
        let mut rest = &text[..];
        while let Some(at) = memchr::memchr(b'$', rest) {
            let (before, name) = (&rest[..at], &rest[at + 1..]);
            let length = name_length(name);
            out.extend_from_slice(before);
            match self.named.get(&name[..length]) {
                Some(value) => out.extend_from_slice(value),
                None => out.extend_from_slice(&rest[at..=at + length]),
            }
            rest = &name[length..];
        }
        out.extend_from_slice(rest);
        Cow::Owned(out)
    }

    /// Copies `text` up to its end, or to the `}` of a default value; returns the rest.
    fn dollars<'t>(
        &self,
        text: &'t [u8],
        in_default: bool,
        host: &dyn Host,
        out: &mut Vec<u8>,
    ) -> Result<&'t [u8], SubstitutionError> {
        let mut rest = text;
        // A default value contains braces in pairs.
        let mut open_braces = 0_usize;
        while let Some((&byte, behind)) = rest.split_first() {
            match byte {
                b'\\' => match behind.split_first() {
                    Some((&escaped @ (b'\\' | b'$' | b'{' | b'}' | b':'), behind)) => {
                        out.push(escaped);
                        rest = behind;
                    }
                    _ => return Err(SubstitutionError::Escape(excerpt(rest))),
                },
                b'$' => rest = self.dollar(rest, host, out)?,
                b'}' if in_default && open_braces == 0 => return Ok(behind),
                _ => {
                    match byte {
                        b'{' => open_braces += 1,
                        b'}' => open_braces = open_braces.saturating_sub(1),
                        _ => {}
                    }
                    out.push(byte);
                    rest = behind;
                }
            }
        }
        if in_default { Err(SubstitutionError::Syntax(excerpt(text))) } else { Ok(rest) }
    }

    /// Replaces the variable at the beginning of `text`, and returns the rest.
    fn dollar<'t>(
        &self,
        text: &'t [u8],
        host: &dyn Host,
        out: &mut Vec<u8>,
    ) -> Result<&'t [u8], SubstitutionError> {
        let inside = text.strip_prefix(b"${");
        let after = inside.unwrap_or(&text[1..]);
        let (name, behind) = after.split_at(name_length(after));
        if name.is_empty() {
            return Err(SubstitutionError::Syntax(excerpt(text)));
        }
        let value = self.get(name, host).or_else(|| host.environment(name).map(Cow::Owned));
        let unknown = || SubstitutionError::Unknown(format!("${}", text_of(name)));
        if inside.is_none() {
            out.extend_from_slice(&value.ok_or_else(unknown)?);
            return Ok(behind);
        }
        match behind.split_first() {
            Some((b'}', behind)) => {
                out.extend_from_slice(&value.ok_or_else(unknown)?);
                Ok(behind)
            }
            Some((b':', default)) => {
                let mut text = Vec::new();
                let behind = self.dollars(default, true, host, &mut text)?;
                out.extend_from_slice(value.as_deref().unwrap_or(&text));
                Ok(behind)
            }
            _ => Err(SubstitutionError::Syntax(excerpt(text))),
        }
    }

    /// Replaces `$name` of known variables, but not of those of the environment; everything else stays.
    pub(super) fn substitute_known<'t>(&self, text: Cow<'t, [u8]>, host: &dyn Host) -> Cow<'t, [u8]> {
        if memchr::memchr(b'$', &text).is_none() {
            return text;
        }
        let mut out = Vec::with_capacity(text.len());
        let mut rest = &text[..];
        while let Some(sign) = memchr::memchr(b'$', rest) {
            let after = &rest[sign + 1..];
            let (name, behind) = after.split_at(name_length(after));
            out.extend_from_slice(&rest[..sign]);
            match self.get(name, host) {
                Some(value) => out.extend_from_slice(&value),
                None => out.extend_from_slice(&rest[sign..rest.len() - behind.len()]),
            }
            rest = behind;
        }
        out.extend_from_slice(rest);
        Cow::Owned(out)
    }

    /// Replaces `{name}` and `${name}` of known variables; everything else stays. The value of an outer loop may have the
    /// variables of inner ones.
    fn braces<'t>(&self, text: Cow<'t, [u8]>, host: &dyn Host) -> Cow<'t, [u8]> {
        let mut text = self.keywords(text, host);
        for (name, value) in &self.loops {
            if memchr::memchr(b'{', &text).is_none() {
                break;
            }
            let value = self.keywords(Cow::Borrowed(value), host);
            text = replace_braces(text, name, &value);
        }
        text
    }

    /// Replaces the variables of the file and of the run, but not those of loops.
    pub(super) fn keywords<'t>(&self, text: Cow<'t, [u8]>, host: &dyn Host) -> Cow<'t, [u8]> {
        let mut text = text;
        if memchr::memchr(b'{', &text).is_some() {
            for (name, value) in &self.named {
                text = replace_braces(text, name, value);
            }
            for name in PLACES {
                if memchr::memmem::find(&text, name).is_some()
                    && let Some(value) = host.place(name)
                {
                    text = replace_braces(text, name, &value);
                }
            }
        }
        for name in OLD_PLACES {
            if memchr::memmem::find(&text, name).is_some()
                && let Some(value) = host.place(name)
            {
                text = replace_all(text, name, &value);
            }
        }
        text
    }
}

/// The names in braces that stand for something of the run.
const PLACES: [&[u8]; 9] = [
    b"TEST_DIR",
    b"TEMP_DIR",
    b"UUID",
    b"TEST_NAME",
    b"BASE_TEST_NAME",
    b"WORKING_DIRECTORY",
    b"BUILD_DIR",
    b"BUILD_DIRECTORY",
    b"DATA_DIR",
];

/// The names without braces that stand for a place of the run.
const OLD_PLACES: [&[u8]; 3] = [b"__TEST_DIR__", b"__WORKING_DIRECTORY__", b"__BUILD_DIRECTORY__"];

fn replace_braces<'t>(text: Cow<'t, [u8]>, name: &[u8], value: &[u8]) -> Cow<'t, [u8]> {
    let braces = [b"${", name, b"}"].concat();
    let text = replace_all(text, &braces, value);
    replace_all(text, &braces[1..], value)
}

fn replace_all<'t>(text: Cow<'t, [u8]>, wanted: &[u8], value: &[u8]) -> Cow<'t, [u8]> {
    if memchr::memmem::find(&text, wanted).is_none() {
        return text;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut start = 0;
    for place in memchr::memmem::find_iter(&text, wanted) {
        out.extend_from_slice(&text[start..place]);
        out.extend_from_slice(value);
        start = place + wanted.len();
    }
    out.extend_from_slice(&text[start..]);
    Cow::Owned(out)
}

/// Returns the length of the name at the beginning of `text`.
fn name_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// The number of characters of a text that an error shows.
const EXCERPT: usize = 20;

fn excerpt(text: &[u8]) -> String {
    text_of(text).chars().take(EXCERPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::host::NoHost;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set(b"a", b"7");
        variables
    }

    #[test]
    fn dollars_stand_for_variables() {
        let replaced = |text: &str| {
            let text = Cow::Borrowed(text.as_bytes());
            let found = variables().substitute(text, VariableSyntax::DollarOnRequest, &NoHost);
            found.map(|text| text_of(&text)).map_err(|error| error.to_string())
        };
        for (text, expected) in [
            ("$a ${a} ${a:x}", "7 7 7"),
            ("${b:x}${b:}${b:${c:${a}}}", "x7"),
            (r"\$a \{ \} \: \\", r"$a { } : \"),
            ("${a:{x}y} ${b:{x}y} ${b:{}}z", "7 {x}y {}z"),
            ("${1:x} ${2b:y}", "x y"),
            ("no variable", "no variable"),
        ] {
            assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["$b", "$", "${a", "${}", "${b:x", "${b:{}", "$1", r"a\b", r"\", "$ab"] {
            assert!(replaced(text).is_err(), "{text}");
        }
    }

    #[test]
    fn commands_keep_what_is_not_known() {
        let replaced = |text: &'static str| {
            text_of(&variables().substitute_known(Cow::Borrowed(text.as_bytes()), &NoHost))
        };
        assert_eq!(replaced("echo $a$a \"$a\" ${a} $ab $HOME $1 $"), "echo 77 \"7\" ${a} $ab $HOME $1 $");
        assert_eq!(replaced("true"), "true");
    }
}
