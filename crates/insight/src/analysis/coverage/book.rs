//! The names of constructs.

use indexmap::IndexMap;

/// The number of a construct.
pub(super) type ConstructId = u32;

/// Functions and types beyond this number are counted together: generated files may have any number of names.
const MOST: usize = 5_000;

/// The kind of a construct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConstructKind {
    /// A kind of statement.
    Statement,
    /// A clause of a statement.
    Clause,
    /// A kind of join.
    Join,
    /// A subquery by its place.
    Subquery,
    /// UNION and the like.
    SetOperation,
    /// A part of a window.
    Window,
    /// An expression that is not a call or an operator.
    Expression,
    /// An operator.
    Operator,
    /// A function.
    Function,
    /// The type of a column or of a CAST.
    Type,
    /// A property of a column or table.
    Definition,
}

impl ConstructKind {
    /// Returns its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::Clause => "clause",
            Self::Join => "join",
            Self::Subquery => "subquery",
            Self::SetOperation => "set operation",
            Self::Window => "window",
            Self::Expression => "expression",
            Self::Operator => "operator",
            Self::Function => "function",
            Self::Type => "type",
            Self::Definition => "definition",
        }
    }
}

/// All constructs that occur, with their kinds.
#[derive(Default)]
pub(super) struct ConstructBook(IndexMap<String, ConstructKind>);

impl ConstructBook {
    /// Returns the number of a construct.
    pub(super) fn id(&mut self, kind: ConstructKind, name: &str) -> ConstructId {
        let known = self.0.get_index_of(name);
        let place = known.unwrap_or_else(|| {
            let others = match kind {
                ConstructKind::Function => "other functions",
                ConstructKind::Type => "other types",
                _ => name,
            };
            let name = if self.0.len() < MOST { name } else { others };
            self.0.insert_full(name.to_owned(), kind).0
        });
        place as ConstructId
    }

    /// Returns the kind and the name of a construct.
    pub(super) fn get(&self, id: ConstructId) -> Option<(ConstructKind, &str)> {
        self.0.get_index(id as usize).map(|(name, kind)| (*kind, name.as_str()))
    }
}
