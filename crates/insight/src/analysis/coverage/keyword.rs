//! The words that the coverage map looks at.

/// The longest keyword.
const LONGEST: usize = 17;

macro_rules! keywords {
    ($($name:ident $text:literal)*) => {
        /// A word that is part of a construct, or that cannot be the name of a function before `(`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum SqlKeyword {
            $($name,)*
        }

        /// Returns the keyword in upper case.
        fn keyword_of(upper: &[u8]) -> Option<SqlKeyword> {
            match upper {
                $($text => Some(SqlKeyword::$name),)*
                _ => None,
            }
        }
    };
}

keywords! {
    Add b"ADD" All b"ALL" Alter b"ALTER" And b"AND" Any b"ANY" Array b"ARRAY" As b"AS" Asc b"ASC"
    AutoIncrement b"AUTO_INCREMENT" Autoincrement b"AUTOINCREMENT" Begin b"BEGIN" Between b"BETWEEN" By b"BY"
    Case b"CASE" Cast b"CAST" Check b"CHECK" Collate b"COLLATE" Column b"COLUMN" Conflict b"CONFLICT"
    Constraint b"CONSTRAINT" Create b"CREATE" Cross b"CROSS" Cube b"CUBE" Default b"DEFAULT" Delete b"DELETE"
    Desc b"DESC" Distinct b"DISTINCT" Do b"DO" Duplicate b"DUPLICATE" Else b"ELSE" End b"END" Escape b"ESCAPE"
    Except b"EXCEPT" Exclude b"EXCLUDE" Exists b"EXISTS" False b"FALSE" Fetch b"FETCH" Filter b"FILTER"
    First b"FIRST" Following b"FOLLOWING" Foreign b"FOREIGN" From b"FROM" Full b"FULL" Generated b"GENERATED"
    Glob b"GLOB" Group b"GROUP" Grouping b"GROUPING" Groups b"GROUPS" Having b"HAVING" If b"IF" Ignore b"IGNORE"
    Ilike b"ILIKE" In b"IN" Index b"INDEX" Inner b"INNER" Insert b"INSERT" Intersect b"INTERSECT"
    Interval b"INTERVAL" Into b"INTO" Is b"IS" Isnull b"ISNULL" Join b"JOIN" Key b"KEY" Last b"LAST"
    Lateral b"LATERAL" Left b"LEFT" Like b"LIKE" Limit b"LIMIT" Match b"MATCH" Materialized b"MATERIALIZED"
    Natural b"NATURAL" Not b"NOT" Notnull b"NOTNULL" Null b"NULL" Nulls b"NULLS" Offset b"OFFSET" On b"ON"
    Or b"OR" Order b"ORDER" Outer b"OUTER" Over b"OVER" Partition b"PARTITION" Preceding b"PRECEDING"
    Precision b"PRECISION" Primary b"PRIMARY" Qualify b"QUALIFY" Range b"RANGE" Recursive b"RECURSIVE"
    References b"REFERENCES" Regexp b"REGEXP" Rename b"RENAME" Replace b"REPLACE" Returning b"RETURNING"
    Right b"RIGHT" Rollup b"ROLLUP" Row b"ROW" Rows b"ROWS" Select b"SELECT" Set b"SET" Sets b"SETS"
    Similar b"SIMILAR" Some b"SOME" Table b"TABLE" Temp b"TEMP" Temporary b"TEMPORARY" Then b"THEN" To b"TO"
    True b"TRUE" TryCast b"TRY_CAST" Unbounded b"UNBOUNDED" Union b"UNION" Unique b"UNIQUE" Unsigned b"UNSIGNED"
    Update b"UPDATE" Using b"USING" Values b"VALUES" Varying b"VARYING" View b"VIEW" When b"WHEN"
    Where b"WHERE" Window b"WINDOW" With b"WITH" Within b"WITHIN" Without b"WITHOUT"
    CurrentDate b"CURRENT_DATE" CurrentTime b"CURRENT_TIME" CurrentTimestamp b"CURRENT_TIMESTAMP"
}

impl SqlKeyword {
    /// Returns the keyword that a word is, in any case of letters.
    pub(super) fn from_word(word: &[u8]) -> Option<Self> {
        let mut buffer = [0; LONGEST];
        let upper = buffer.get_mut(..word.len())?;
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        keyword_of(upper)
    }

    /// Returns whether the word ends a value, so that an operator behind it has two operands.
    pub(super) fn is_value(self) -> bool {
        matches!(
            self,
            Self::Null
                | Self::True
                | Self::False
                | Self::End
                | Self::CurrentDate
                | Self::CurrentTime
                | Self::CurrentTimestamp
        )
    }

    /// Returns whether the word may be the name of a function.
    pub(super) fn may_be_function(self) -> bool {
        matches!(
            self,
            Self::Replace
                | Self::Left
                | Self::Right
                | Self::If
                | Self::Like
                | Self::Glob
                | Self::Grouping
                | Self::Match
                | Self::Insert
                | Self::Range
                | Self::Row
        )
    }
}
