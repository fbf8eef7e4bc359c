//! `skipif` and `onlyif`, and whether they leave a record out.

/// One condition in front of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition<'s> {
    /// Whether the record is for this engine only, or for every engine but this.
    pub kind: ConditionKind,
    /// The engine's name as written; with a comparison, the name of a loop variable.
    pub name: &'s [u8],
    /// The comparison of a loop variable, in place of an engine's name.
    pub comparison: Option<Comparison<'s>>,
    /// The line of the condition, counted from 1.
    pub line: u32,
}

/// The kind of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionKind {
    /// `skipif NAME`.
    SkipIf,
    /// `onlyif NAME`.
    OnlyIf,
}

/// The comparison of a loop variable with a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison<'s> {
    /// How both are compared.
    pub operator: ComparisonOperator,
    /// The constant.
    pub value: &'s [u8],
}

/// How a loop variable is compared: for equality as text, otherwise as whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonOperator {
    /// `=`.
    Equal,
    /// `<>`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

impl Condition<'_> {
    /// Returns whether the condition allows its record on an engine with these `labels`.
    ///
    /// | word   | name is a label | runs |
    /// |--------|-----------------|------|
    /// | skipif | yes             | no   |
    /// | skipif | no              | yes  |
    /// | onlyif | yes             | yes  |
    /// | onlyif | no              | no   |
    pub fn allows(&self, labels: &[String]) -> bool {
        let named = labels.iter().any(|label| label.as_bytes().eq_ignore_ascii_case(self.name));
        named == (self.kind == ConditionKind::OnlyIf)
    }

    /// Returns what [`Self::allows`] does, with names whose case must be that of the labels.
    pub fn allows_exactly(&self, labels: &[String]) -> bool {
        let named = labels.iter().any(|label| label.as_bytes() == self.name);
        named == (self.kind == ConditionKind::OnlyIf)
    }
}

/// Returns the first of `conditions` on the engine that leaves the record out; every one must allow it. Conditions on
/// loop variables are not considered.
pub fn first_refusal<'c, 's>(
    conditions: &'c [Condition<'s>],
    labels: &[String],
) -> Option<&'c Condition<'s>> {
    conditions.iter().find(|condition| condition.comparison.is_none() && !condition.allows(labels))
}
