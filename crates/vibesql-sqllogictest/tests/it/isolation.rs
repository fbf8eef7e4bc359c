//! Nothing that a file leaves in its process reaches the next file of this process.

use crate::sandbox::Sandbox;

/// SQL that sets something for the whole process of SQLite, or may do so in another version of it.
const SETTERS: &[&str] = &[
    "PRAGMA hard_heap_limit=2000000",
    "PRAGMA soft_heap_limit=1000000",
    "PRAGMA temp_store_directory='.'",
    "ATTACH 'file:shared?mode=memory&cache=shared' AS x; CREATE TABLE x.t(a); INSERT INTO x.t VALUES (1)",
    "ATTACH 'file:shared?mode=memory&cache=shared' AS x; BEGIN; CREATE TABLE x.t(a)",
    "ATTACH 'file:/shared?vfs=memdb' AS y; CREATE TABLE y.t(a); INSERT INTO y.t VALUES (1)",
    "CREATE TEMP TABLE t(a); BEGIN; INSERT INTO t VALUES (1)",
    "PRAGMA foreign_keys=ON; PRAGMA case_sensitive_like=ON; PRAGMA recursive_triggers=ON; PRAGMA threads=2; \
     PRAGMA cache_size=1; PRAGMA temp_store=1; PRAGMA query_only=ON; PRAGMA encoding='UTF-16'; PRAGMA max_page_count=1",
];

/// A file that notices each of them.
const VICTIM: &str = "statement ok
ATTACH 'file:shared?mode=memory&cache=shared' AS x

statement ok
ATTACH 'file:/shared?vfs=memdb' AS y

statement error
SELECT * FROM x.t

statement error
SELECT * FROM y.t

statement ok
CREATE TABLE t(a TEXT)

statement ok
INSERT INTO t SELECT hex(randomblob(2000000))

query I nosort
SELECT length(hex(randomblob(3000000)))
----
6000000

query I nosort
SELECT 'a' LIKE 'A'
----
1

query I nosort
PRAGMA hard_heap_limit
----
0

query I nosort
PRAGMA soft_heap_limit
----
0

query T nosort
PRAGMA temp_store_directory
----

query T nosort
PRAGMA encoding
----
UTF-8
";

#[test]
fn what_a_file_sets_for_the_process_does_not_reach_the_next_file() {
    let sandbox = Sandbox::new();
    sandbox.write("victim.test", VICTIM);
    let alone = sandbox.run("test --engine sqlite victim.test");
    assert_eq!(alone.code, 0, "{alone}");
    for (number, setter) in SETTERS.iter().enumerate() {
        sandbox.write("first.test", format!("statement ok\n{setter}\n"));
        // `test` takes its files in order, in one process.
        let both = sandbox.run("test --engine sqlite first.test victim.test");
        assert_eq!(both.code, 0, "{setter}: {both}");
        sandbox.write(&format!("run/{number}.test"), format!("statement ok\n{setter}\n"));
        sandbox.write(&format!("run/{number}-victim.test"), VICTIM);
    }
    let all = sandbox.run("run --engine sqlite -j 1 run");
    assert_eq!(all.code, 0, "{all}");
    assert!(all.stdout.contains(&format!("{0} of {0} files", 2 * SETTERS.len())), "{all}");
}
