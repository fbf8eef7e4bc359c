//! The catalogue of rules.

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintLevel {
    /// Worth a look; often intended.
    Note,
    /// Probably a mistake.
    Warning,
}

impl LintLevel {
    /// Returns its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

/// A rule for text that is legal and probably a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LintRule {
    /// The expected rows are not in the order into which the result is sorted.
    UnsortedExpectation,
    /// Several rows in an order that the engine is free to choose.
    NoOrder,
    /// Queries with the same label expect different results.
    ContradictoryLabels,
    /// A label with nothing to compare with.
    UnusedLabel,
    /// Records after an unconditional end of the file.
    Unreachable,
    /// A hash where the dialect never hashes.
    HashWithoutThreshold,
    /// A hash line for a result that the threshold would list.
    HashBelowThreshold,
    /// Listed values for a result that the threshold would hash.
    ValuesAboveThreshold,
    /// A word that is nearly a sort mode.
    MisspeltSortMode,
    /// The number of type letters does not fit the expected result.
    WrongTypeCount,
    /// A setting for later records, of which there are none.
    DanglingSetting,
    /// Text of another dialect.
    MixedDialects,
    /// A line of SQL that begins like a record.
    HeaderInSql,
    /// An expected value that begins like a record.
    HeaderInValues,
    /// A query without `----`.
    NoSeparator,
    /// `----` in the place of SQL.
    SeparatorInSql,
    /// Something that nothing checks.
    Unchecked,
    /// An asynchronous record, or a concurrent loop, that is executed in order.
    ExecutedInOrder,
    /// A value that is equal only because white space is folded.
    WhiteSpaceFolded,
    /// A record without effect.
    WithoutEffect,
    /// An option in the place of a label.
    OptionAsLabel,
    /// A number within the tolerance of the dialect.
    WithinTolerance,
    /// An expected error without a message.
    AnyError,
    /// A row with empty cells.
    EmptyCells,
    /// A loop without values.
    EmptyLoop,
}

/// The texts of a rule.
struct RuleTexts {
    code: &'static str,
    level: LintLevel,
    summary: &'static str,
    help: &'static str,
    explanation: &'static str,
}

impl LintRule {
    /// All rules.
    pub const ALL: [Self; 25] = [
        Self::UnsortedExpectation,
        Self::NoOrder,
        Self::ContradictoryLabels,
        Self::UnusedLabel,
        Self::Unreachable,
        Self::HashWithoutThreshold,
        Self::HashBelowThreshold,
        Self::ValuesAboveThreshold,
        Self::MisspeltSortMode,
        Self::WrongTypeCount,
        Self::DanglingSetting,
        Self::MixedDialects,
        Self::HeaderInSql,
        Self::HeaderInValues,
        Self::NoSeparator,
        Self::SeparatorInSql,
        Self::Unchecked,
        Self::ExecutedInOrder,
        Self::WhiteSpaceFolded,
        Self::WithoutEffect,
        Self::OptionAsLabel,
        Self::WithinTolerance,
        Self::AnyError,
        Self::EmptyCells,
        Self::EmptyLoop,
    ];

    /// Returns the rule with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }

    /// Returns its code, which never changes.
    pub fn code(self) -> &'static str {
        self.texts().code
    }

    /// Returns how serious a finding is.
    pub fn level(self) -> LintLevel {
        self.texts().level
    }

    /// Describes the rule in one line.
    pub fn summary(self) -> &'static str {
        self.texts().summary
    }

    /// Returns what to do about a finding, in one line.
    pub fn help(self) -> &'static str {
        self.texts().help
    }

    /// Explains the rule.
    pub fn explanation(self) -> &'static str {
        self.texts().explanation
    }

    fn texts(self) -> &'static RuleTexts {
        match self {
            Self::UnsortedExpectation => &UNSORTED_EXPECTATION,
            Self::NoOrder => &NO_ORDER,
            Self::ContradictoryLabels => &CONTRADICTORY_LABELS,
            Self::UnusedLabel => &UNUSED_LABEL,
            Self::Unreachable => &UNREACHABLE,
            Self::HashWithoutThreshold => &HASH_WITHOUT_THRESHOLD,
            Self::HashBelowThreshold => &HASH_BELOW_THRESHOLD,
            Self::ValuesAboveThreshold => &VALUES_ABOVE_THRESHOLD,
            Self::MisspeltSortMode => &MISSPELT_SORT_MODE,
            Self::WrongTypeCount => &WRONG_TYPE_COUNT,
            Self::DanglingSetting => &DANGLING_SETTING,
            Self::MixedDialects => &MIXED_DIALECTS,
            Self::HeaderInSql => &HEADER_IN_SQL,
            Self::HeaderInValues => &HEADER_IN_VALUES,
            Self::NoSeparator => &NO_SEPARATOR,
            Self::SeparatorInSql => &SEPARATOR_IN_SQL,
            Self::Unchecked => &UNCHECKED,
            Self::ExecutedInOrder => &EXECUTED_IN_ORDER,
            Self::WhiteSpaceFolded => &WHITE_SPACE_FOLDED,
            Self::WithoutEffect => &WITHOUT_EFFECT,
            Self::OptionAsLabel => &OPTION_AS_LABEL,
            Self::WithinTolerance => &WITHIN_TOLERANCE,
            Self::AnyError => &ANY_ERROR,
            Self::EmptyCells => &EMPTY_CELLS,
            Self::EmptyLoop => &EMPTY_LOOP,
        }
    }
}

const UNSORTED_EXPECTATION: RuleTexts = RuleTexts {
    code: "unsorted-rowsort",
    level: LintLevel::Warning,
    summary: "expected rows that are not in sorted order under `rowsort` or `valuesort`",
    help: "sort the expected lines by their bytes",
    explanation: "With `rowsort` and `valuesort` only the result of the engine is sorted; the expected lines are compared as they \
        stand. If they are not in sorted order, the record can never pass, whatever the engine returns.\n\n\
        Rows are sorted column by column, as text and by bytes: `10` stands before `9`, and upper case before lower \
        case. CockroachDB and Materialize sort both sides, so the rule does not apply to their dialects.",
};

const NO_ORDER: RuleTexts = RuleTexts {
    code: "no-order",
    level: LintLevel::Note,
    summary: "several rows without a sort mode, from a query without ORDER BY",
    help: "write `rowsort` behind the types, or ORDER BY in the query; `nosort` says that the order is meant",
    explanation: "SQL does not define the order of rows without ORDER BY. The record passes as long as the engine happens to return \
        the rows in this order; another plan, version or engine can break it without being wrong.\n\n\
        `query I nosort` says that the order is meant, and silences the rule.",
};

const CONTRADICTORY_LABELS: RuleTexts = RuleTexts {
    code: "contradictory-labels",
    level: LintLevel::Warning,
    summary: "queries with the same label that expect different results",
    help: "correct one of the expectations, or use another label",
    explanation: "Queries with the same label must have the same result. These expect different ones, so at least one of them \
        fails on every engine.",
};

const UNUSED_LABEL: RuleTexts = RuleTexts {
    code: "unused-label",
    level: LintLevel::Note,
    summary: "a label that only one query has",
    help: "remove the label, or give it to the query with which the result should agree",
    explanation: "A label compares the results of the queries that have it. With only one such query, nothing is compared.",
};

const UNREACHABLE: RuleTexts = RuleTexts {
    code: "unreachable",
    level: LintLevel::Warning,
    summary: "records that are never executed",
    help: "remove the records, or what ends the file before them; `onlyif` in front of `halt` makes it conditional",
    explanation: "An unconditional `halt`, or a record after which the dialect stops reading, ends the file. The records after it \
        look like tests, but are never executed on any engine.",
};

const HASH_WITHOUT_THRESHOLD: RuleTexts = RuleTexts {
    code: "hash-without-threshold",
    level: LintLevel::Warning,
    summary: "a hash line where the runner of the dialect never hashes",
    help: "write `hash-threshold N` before it",
    explanation: "The runner of this dialect hashes a result only above the threshold of the file, and the file sets none. That \
        runner compares the rows with the text of the hash line, and the record fails. This program recognises the line by its \
        shape, unless --exact is given.",
};

const HASH_BELOW_THRESHOLD: RuleTexts = RuleTexts {
    code: "hash-below-threshold",
    level: LintLevel::Note,
    summary: "a hash line for a result that the threshold would list",
    help: "list the values, or lower the threshold",
    explanation: "The reference runner hashes a result only if it has more values than the threshold says. It would list this one, \
        and the record would fail there. This program recognises the line by its shape, unless --exact is given.",
};

const VALUES_ABOVE_THRESHOLD: RuleTexts = RuleTexts {
    code: "values-above-threshold",
    level: LintLevel::Note,
    summary: "listed values for a result that the threshold would hash",
    help: "write the hash line of the result, or raise the threshold with `hash-threshold N`; 0 means: never hash",
    explanation: "The reference runner hashes a result that has more values than the threshold says (8, unless the file sets \
        another). It would hash this one, and the record would fail there. This program compares the values, unless --exact \
        is given.",
};

const MISSPELT_SORT_MODE: RuleTexts = RuleTexts {
    code: "misspelt-sort-mode",
    level: LintLevel::Warning,
    summary: "a label or connection that is nearly a sort mode",
    help: "the sort modes are nosort, rowsort and valuesort",
    explanation: "In this dialect a word behind the types that is no sort mode is a label, or the name of a connection. A misspelt \
        sort mode is therefore legal, and the result is compared unsorted or on another connection.",
};

const WRONG_TYPE_COUNT: RuleTexts = RuleTexts {
    code: "wrong-type-count",
    level: LintLevel::Warning,
    summary: "a number of type letters that does not fit the expected result",
    help: "write one type letter for each column of the result",
    explanation: "There is one type letter for each column. The number of expected values, or of values in a row, does not fit their \
        number, so that either the letters or the values are wrong.",
};

const DANGLING_SETTING: RuleTexts = RuleTexts {
    code: "dangling-setting",
    level: LintLevel::Warning,
    summary: "a setting for later records, of which there are none",
    help: "remove it, or put it before the records that it is for",
    explanation: "The setting applies to later records of the file. There are none, so it has no effect. Often a record has been \
        removed, or the setting was put behind it.",
};

const MIXED_DIALECTS: RuleTexts = RuleTexts {
    code: "mixed-dialects",
    level: LintLevel::Warning,
    summary: "text of another dialect than the one of the file",
    help: "`check` shows why the dialect was chosen; `# slt-dialect: NAME` at the top, an override or --dialect choose another",
    explanation: "The line is written as in another dialect, where it means something else than in the dialect that was chosen \
        for the file. Either the dialect is wrong, or the line is.",
};

const HEADER_IN_SQL: RuleTexts = RuleTexts {
    code: "header-in-sql",
    level: LintLevel::Warning,
    summary: "a line of SQL that begins like a record",
    help: "put an empty line in front of the record",
    explanation: "Records are separated by empty lines. Without one, a header is a line of the SQL above it, and the record is never \
        executed.",
};

const HEADER_IN_VALUES: RuleTexts = RuleTexts {
    code: "header-in-values",
    level: LintLevel::Warning,
    summary: "an expected value that begins like a record",
    help: "put an empty line in front of the record",
    explanation: "Records are separated by empty lines. Without one, a header is an expected value of the record above it, and its own record \
        is never executed. If the record above it is skipped, nothing even compares the value.",
};

const NO_SEPARATOR: RuleTexts = RuleTexts {
    code: "no-separator",
    level: LintLevel::Warning,
    summary: "a query without `----`",
    help: "write `----` after the SQL, also if no rows are expected",
    explanation: "A query without `----` expects no rows. The manual says so, but the reference runner takes the last line of the SQL for \
        an expected value since November 2024.",
};

const SEPARATOR_IN_SQL: RuleTexts = RuleTexts {
    code: "separator-in-sql",
    level: LintLevel::Warning,
    summary: "`----` in the place of SQL",
    help: "write the SQL between the header and `----`, and the expected result after it",
    explanation: "The line is part of the SQL here: right after the header, or at the end of SQL that has no result. Engines take it for a comment, so nothing of what follows is compared.",
};

const UNCHECKED: RuleTexts = RuleTexts {
    code: "unchecked",
    level: LintLevel::Warning,
    summary: "a part of a record that nothing checks",
    help: "remove it, or write a record that states what is expected",
    explanation: "The dialect accepts this option or statement, but nothing is compared with it: the record passes whatever the engine does.",
};

const EXECUTED_IN_ORDER: RuleTexts = RuleTexts {
    code: "executed-in-order",
    level: LintLevel::Note,
    summary: "a record or a loop that is meant to overlap with others, and is executed in order",
    help: "use a concurrent loop on an engine with the capability `concurrent`, if records are meant to overlap",
    explanation: "The runner of the dialect executes an asynchronous record at the same time as later ones. This program executes it in its place, so the result is the same in every run. A run reports the same of a concurrent loop if the engine cannot execute statements of several connections at the same time: nothing then shows that they may overlap.",
};

const WHITE_SPACE_FOLDED: RuleTexts = RuleTexts {
    code: "white-space-folded",
    level: LintLevel::Note,
    summary: "a value that is equal only because white space is folded",
    help: "write the value as the engine returns it",
    explanation: "The dialect compares values after it has folded white space. The engine returns other white space than the file says, and the record passes all the same.",
};

const WITHOUT_EFFECT: RuleTexts = RuleTexts {
    code: "without-effect",
    level: LintLevel::Note,
    summary: "a record that has no effect in this dialect",
    help: "remove the record",
    explanation: "The runner of the dialect reads the record and ignores it, and so does this program.",
};

const OPTION_AS_LABEL: RuleTexts = RuleTexts {
    code: "option-as-label",
    level: LintLevel::Warning,
    summary: "an option of a query in the place of its label",
    help: "join the options by commas: `query T rowsort,colnames`",
    explanation: "Options of a query are one word, joined by commas. A further word is a label, so that the option has no effect.",
};

const WITHIN_TOLERANCE: RuleTexts = RuleTexts {
    code: "within-tolerance",
    level: LintLevel::Note,
    summary: "a number that is equal only within the tolerance of the dialect",
    help: "write the number as the engine returns it",
    explanation: "DuckDB's runner takes floating-point numbers for equal if they differ by at most 1 %. Such a record passes, is counted and is listed, because a wrong result of this size would pass as well.",
};

const ANY_ERROR: RuleTexts = RuleTexts {
    code: "any-error",
    level: LintLevel::Note,
    summary: "an expected error without a message",
    help: "write a part of the expected message",
    explanation: "Every error satisfies the record, also a misspelt name in the SQL. A part of the message shows that the right thing fails.",
};

const EMPTY_CELLS: RuleTexts = RuleTexts {
    code: "empty-cells",
    level: LintLevel::Warning,
    summary: "a row with more tabs than columns need",
    help: "write `(empty)` for an empty text",
    explanation: "The dialect leaves out empty cells of a row with tabs, so the values after them move to other columns.",
};

const EMPTY_LOOP: RuleTexts = RuleTexts {
    code: "empty-loop",
    level: LintLevel::Warning,
    summary: "a loop without values",
    help: "write an end above the start",
    explanation: "DuckDB's runner executes the records of a loop at least once, with the first value, even if the end is not above the start.",
};
