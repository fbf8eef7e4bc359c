//! Lists of words that decide whether a script may be split.

/// Makes a list of the names of its words.
macro_rules! words {
    ($($word:ident)*) => {
        &[$(stringify!($word)),*]
    };
}

/// Words that make more than a read of a query, wherever they stand. `FOR` locks rows.
pub(super) const WRITES: &[&str] = words! {
    ALTER ANALYZE ATTACH BEGIN CALL COMMIT COPY CREATE DELETE DETACH DO DROP DUMPFILE EXEC EXECUTE EXPLAIN FOR
    GRANT INSERT INTO LOAD LOCK MERGE OUTFILE PRAGMA PROCEDURE RETURNING REVOKE ROLLBACK SAMPLE SAVEPOINT SET
    TABLESAMPLE TRUNCATE UPDATE UPSERT VACUUM
};

/// Words with which a statement may store a result that depends on the order in which the engine happens to read rows.
pub(super) const CHOICES: &[&str] = words! {
    FETCH GROUP_CONCAT LIMIT OVER STRING_AGG TOP
};

/// Words that need no parentheses to stand for the time, the session or a sequence.
pub(super) const VOLATILE: &[&str] = words! {
    CURRENT_CATALOG CURRENT_DATE CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURRVAL
    LOCALTIME LOCALTIMESTAMP NEXTVAL SESSION_USER SYS SYSDATE SYSTEM_USER SYSTIMESTAMP USER UTC_DATE UTC_TIME
    UTC_TIMESTAMP
};

/// How the names of tables begin that show an engine's own state.
pub(super) const ENGINE_NAMES: &[&str] = words! {
    dbstat information_schema performance_schema pg_ pragma_ sqlite_
};

/// Keywords and types that stand in front of a parenthesis without being a call.
pub(super) const KEYWORDS: &[&str] = words! {
    ALL AND ANY AS BETWEEN BIGINT BINARY BLOB BY CASE CAST CHARACTER CHECK CONFLICT DECIMAL DEFAULT DISTINCT DIV
    DOUBLE ELSE ESCAPE EXCEPT EXISTS FILTER FLOAT FROM HAVING IN INT INTEGER INTERSECT IS JOIN KEY LIMIT
    MATERIALIZED NOT NUMBER NUMERIC NVARCHAR OFFSET ON OR OVER REAL SELECT SET SMALLINT SOME TEXT THEN UNION
    UNIQUE USING VALUES VARBINARY VARCHAR VARYING WHEN WHERE XOR
};

/// Functions that depend on nothing but their arguments, or on the rows that they sum up. Those of dates are not among
/// them: most of them can give the time of the clock.
pub(super) const FUNCTIONS: &[&str] = words! {
    ABS ACOS ASCII ASIN ATAN ATAN2 AVG CEIL CEILING CHAR CHAR_LENGTH COALESCE CONCAT CONCAT_WS COS COUNT
    CUME_DIST DEGREES DENSE_RANK EXP FIRST_VALUE FLOOR GLOB GREATEST GROUP_CONCAT HEX IF IFNULL IIF INSTR LAG
    LAST_VALUE LEAD LEAST LEFT LENGTH LIKE LN LOG LOG10 LOG2 LOWER LPAD LTRIM MAX MIN MOD NTH_VALUE NTILE NULLIF
    OCTET_LENGTH PERCENT_RANK PI POSITION POW POWER PRINTF QUOTE RADIANS RANK REPEAT REPLACE REVERSE RIGHT ROUND
    ROW_NUMBER RPAD RTRIM SIGN SIN SQRT STDDEV STRING_AGG SUBSTR SUBSTRING SUM TAN TOTAL TRIM TRUNC TYPEOF
    UNICODE UPPER VARIANCE
};
