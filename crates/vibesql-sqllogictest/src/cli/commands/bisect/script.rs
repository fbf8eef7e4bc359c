//! The script for `git bisect run`: a POSIX shell script that builds a commit and judges one record there.

use std::collections::HashSet;
use std::path::Path;

use crate::cli::repeat::shell_word;
use slt_core::parser::{Control, DefectEffect, Record, RecordKind, Script, first_refusal};

/// The parts of a script.
pub(super) struct ScriptPlan<'p> {
    /// The name of the judged file or record.
    pub(super) subject: &'p str,
    pub(super) good: &'p str,
    pub(super) bad: &'p str,
    /// The build step, a command for the shell.
    pub(super) build: &'p str,
    /// The program that the build step creates, relative to the top of the working copy.
    pub(super) program: &'p str,
    /// The arguments of the program before the file.
    pub(super) words: &'p [String],
    /// The copy of the file.
    pub(super) copy: &'p Path,
    /// The line of the record; `None` for the file as a whole.
    pub(super) line: Option<u32>,
    /// The file with the statements that the record depends on, if there are any.
    pub(super) set_up: Option<&'p Path>,
    /// The file for the output of the program.
    pub(super) output: &'p Path,
    /// The time limit of each execution.
    pub(super) seconds: u64,
    /// Whether a lost process or a timeout is the failure to find.
    pub(super) loss_is_bad: bool,
}

/// Writes the script.
pub(super) fn write(plan: &ScriptPlan<'_>) -> String {
    let path = |path: &Path| shell_word(&path.display().to_string());
    let words: Vec<_> = plan.words.iter().map(|word| shell_word(word)).collect();
    let target = match plan.line {
        Some(line) => format!("{}:{line}", plan.copy.display()),
        None => plan.copy.display().to_string(),
    };
    let (lost, lost_word) =
        if plan.loss_is_bad { ("1", "bad, as in the run") } else { ("125", "cannot be judged") };
    let values = [
        ("SUBJECT", one_line(plan.subject)),
        ("LOST_CODE", lost.to_owned()),
        ("LOST_WORD", lost_word.to_owned()),
        ("GOOD", shell_word(plan.good)),
        ("BAD", shell_word(plan.bad)),
        ("BUILD", shell_word(plan.build)),
        ("PROGRAM", shell_word(plan.program)),
        ("WORDS", words.join(" ")),
        ("TARGET", shell_word(&target)),
        ("SET_UP", plan.set_up.map_or_else(|| "''".to_owned(), path)),
        ("OUTPUT", path(plan.output)),
        ("SECONDS", plan.seconds.to_string()),
    ];
    // Placeholders in the values are not replaced.
    let mut script = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, behind)) = rest.split_once('@') {
        let (name, after) = behind.split_once('@').unwrap_or((behind, ""));
        script.push_str(before);
        script.extend(values.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.as_str()));
        rest = after;
    }
    script + rest
}

/// Replaces control characters, so that the text stays in its comment.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

const TEMPLATE: &str = r#"#!/bin/sh
# For `git bisect run`: judges the commit that is checked out.
#
#   @SUBJECT@
#
# Result                                                  Exit code
# the build step fails, or does not create the program    125  cannot be judged
# a statement before the record has another result        125  cannot be judged
# the record passes                                         0  good
# the record fails                                          1  bad
# the engine is lost, its process dies, or a timeout      @LOST_CODE@  @LOST_WORD@
# usage error, nothing to execute, no engine, a bug       125  cannot be judged
#
# The script has no other exit codes: `git bisect run` ends at codes above 127.
# With the argument `ends`, it builds and judges the commits at both ends, and returns to the current one.

good=@GOOD@
bad=@BAD@
build=@BUILD@
program=@PROGRAM@
target=@TARGET@
set_up=@SET_UP@
output=@OUTPUT@
seconds=@SECONDS@

case $0 in
/*) self=$0 ;;
*) self=$PWD/$0 ;;
esac

say() {
    printf 'bisect: %s\n' "$*" >&2
}

cannot_be_judged() {
    say "cannot be judged: $*"
    exit 125
}

# Builds and judges the commit $1; the expected exit code is $2.
check_end() {
    git checkout --quiet --detach "$1" || return 1
    sh "$self"
    found=$?
    if [ "$found" -eq "$2" ]; then
        say "$1: the exit code is $found, as expected"
    else
        say "$1: the exit code is $found, expected $2"
        return 1
    fi
}

# Runs the program on one file, or one record, and sets $code. The time limit requires `timeout` of GNU.
execute() {
    true >"$output" || cannot_be_judged "cannot write the output of the program"
    if timeout --foreground -k 5 60 true 2>/dev/null; then
        timeout --foreground -k 5 "$seconds" "$program" @WORDS@ "$1" >"$output"
    else
        "$program" @WORDS@ "$1" >"$output"
    fi
    code=$?
    cat "$output"
    # Without output there is no verdict: the engine has ended the process.
    if [ "$code" -le 1 ] && [ ! -s "$output" ]; then
        code=lost
    fi
}

# The settings are those of the run, so environment variables must not change them.
for name in $(env | sed -n 's/^\(SQLLOGICTEST_[A-Z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done

top=$(git rev-parse --show-toplevel) && cd "$top" || cannot_be_judged "this is not a working copy"

if [ "${1-}" = ends ]; then
    here=$(git symbolic-ref --quiet --short HEAD) || here=$(git rev-parse HEAD)
    ends=0
    check_end "$bad" 1 || ends=1
    check_end "$good" 0 || ends=1
    git checkout --quiet "$here" || ends=1
    exit "$ends"
fi

# The build step creates files that Git ignores. The program of another commit must not be judged.
if git check-ignore --quiet -- "$program" 2>/dev/null; then
    rm -f -- "$program"
fi
sh -c "$build" </dev/null || cannot_be_judged "the build step fails"
[ -x "$program" ] || cannot_be_judged "the build step does not create $program"

if [ -n "$set_up" ]; then
    execute "$set_up"
    [ "$code" = 0 ] || cannot_be_judged "a statement before the record has another result ($code)"
fi

execute "$target"
case $code in
0)
    say "good"
    exit 0
    ;;
1)
    say "bad"
    exit 1
    ;;
lost | 5 | 124)
    say "the engine was lost, its process died, or a timeout ($code): @LOST_WORD@"
    exit @LOST_CODE@
    ;;
2 | 3 | 6 | 70 | 125 | 126 | 127 | 129 | 130 | 143)
    # 129, 130 and 143 are signals by which users end a program.
    cannot_be_judged "the program ends with exit code $code"
    ;;
esac
if [ "$code" -ge 128 ]; then
    say "the process died ($code): @LOST_WORD@"
    exit @LOST_CODE@
fi
cannot_be_judged "the program ends with exit code $code"
"#;

/// Returns a text with the statements that the record on `line` depends on, each on its original line. Records on the lines
/// `known`, which fail, and queries are omitted. `None` if there is nothing to execute, or if the text would have another
/// effect than the file.
pub(super) fn set_up(
    script: &Script<'_>,
    line: u32,
    known: &HashSet<u32>,
    labels: &[String],
) -> Option<Vec<u8>> {
    let before = || script.records().take_while(|record| record.line < line);
    let target = script.records().find(|record| record.line == line)?;
    // The SQL of such a record is executed despite its defect, and no text without the defect has the same effect.
    let runs_anyway = |record: &Record<'_>| {
        record.defect.as_ref().is_some_and(|defect| defect.effect == DefectEffect::SqlRuns)
    };
    if before().any(runs_anyway) {
        return None;
    }
    let stays = |record: &Record<'_>| match record.kind {
        _ if record.defect.is_some() => false,
        RecordKind::Statement(_) => !known.contains(&record.line),
        RecordKind::Query(_) | RecordKind::Control(Control::Halt) | RecordKind::Unknown => false,
        RecordKind::Control(_) | RecordKind::Let(_) | RecordKind::System(_) | RecordKind::Database(_) => true,
    };
    let is_executed = |record: &Record<'_>| {
        stays(record) && record.is_counted() && first_refusal(&record.conditions, labels).is_none()
    };
    if !before().any(is_executed) {
        return None;
    }
    let bytes = script.source.bytes();
    let (mut text, mut copied) = (Vec::new(), 0);
    for record in before().filter(|record| !stays(record)) {
        text.extend_from_slice(&bytes[copied..record.span.start]);
        text.extend(bytes[record.span.clone()].iter().filter(|byte| **byte == b'\n'));
        copied = record.span.end;
    }
    text.extend_from_slice(&bytes[copied..target.span.start]);
    Some(text)
}

/// Whether the record on `line` is after a `halt` that ends the file.
pub(super) fn is_behind_halt(script: &Script<'_>, line: u32, labels: &[String]) -> bool {
    let mut before = script.records().take_while(|record| record.line < line);
    before.any(|record| {
        matches!(record.kind, RecordKind::Control(Control::Halt))
            && first_refusal(&record.conditions, labels).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use slt_core::location::Source;
    use slt_core::parser::{SQLITE, parse};

    #[test]
    fn a_set_up_has_the_statements_that_succeeded() {
        let text = "# slt-dialect: sqlite\n\nstatement ok\nCREATE\n\nquery I nosort\nSELECT 1\n----\n1\n\n\
                    statement ok\nFAILS\n\nhash-threshold 8\n\nskipif x\nstatement error\nDROP\n\n\
                    query I nosort\nSELECT 2\n----\n2\n\nstatement ok\nBEHIND\n";
        let check = |text: &str, line: u32, known: &[u32], labels: &[&str]| {
            let source = Source::new("t.test", text);
            let labels: Vec<_> = labels.iter().map(|&label| label.to_owned()).collect();
            let set_up = set_up(&parse(&source, &SQLITE), line, &known.iter().copied().collect(), &labels);
            set_up.map(|text| String::from_utf8(text).unwrap())
        };
        let lines = "# slt-dialect: sqlite\n\nstatement ok\nCREATE\n\n\n\n\n\n\n\n\n\nhash-threshold 8\n\n\
                     skipif x\nstatement error\nDROP\n\n";
        assert_eq!(check(text, 20, &[11], &[]).unwrap(), lines, "each on its line");
        assert_eq!(check(text, 20, &[3, 11], &["x"]), None, "what is skipped is not executed");
        assert_eq!(check(text, 3, &[], &[]), None);
        // A malformed record that is executed cannot be written without its defect.
        let malformed = ["statement oj\nCREATE\n\n", text].concat();
        assert_eq!(check(&malformed, 23, &[1, 14], &[]), None);
        assert!(check(&malformed.replace(" oj", " ok"), 23, &[1, 14], &[]).is_some());
    }

    #[test]
    fn values_are_quoted() {
        let words = ["--engine".to_owned(), "a'b".to_owned()];
        let plan = ScriptPlan {
            subject: "a\nrm -rf x\u{7}:3",
            good: "1",
            bad: "2",
            build: "make '@GOOD@'",
            program: "a/b c",
            words: &words,
            copy: Path::new("/x/$(y)@BAD@.test"),
            line: Some(3),
            set_up: None,
            output: Path::new("/x/output"),
            seconds: 5,
            loss_is_bad: false,
        };
        let script = write(&plan);
        assert!(script.contains("\n#   a?rm -rf x?:3\n"), "{script}");
        let values = r"
good=1
bad=2
build='make '\''@GOOD@'\'''
program='a/b c'
target='/x/$(y)@BAD@.test:3'
set_up=''
output=/x/output
seconds=5
";
        assert!(script.contains(values), "{script}");
        assert!(script.contains(r#""$seconds" "$program" --engine 'a'\''b' "$1""#), "{script}");
    }
}
