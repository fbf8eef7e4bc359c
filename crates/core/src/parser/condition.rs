//! `skipif` and `onlyif`, and whether they leave a record out.

/// One condition in front of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition<'s> {
    /// Whether the record is for this engine only, or for every engine but this.
    pub kind: ConditionKind,
    /// The engine's name as written.
    pub name: &'s [u8],
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
}

/// Returns the first of `conditions` that leaves the record out; every one must allow it.
pub fn first_refusal<'c, 's>(
    conditions: &'c [Condition<'s>],
    labels: &[String],
) -> Option<&'c Condition<'s>> {
    conditions.iter().find(|condition| !condition.allows(labels))
}
