//! `punchlist` as a user has it.

use insta::assert_snapshot;

use crate::analysis_cmd::{sandbox, shown};

#[test]
fn punchlists() {
    let sandbox = sandbox();
    let punchlist = shown(&sandbox, "punchlist");
    let lines = punchlist.lines().filter(|line| !line.starts_with("Last updated: 20"));
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    exit code 0
    --- stdout
    # SQLLogicTest Punchlist

    Source: run `[run]` on `sqlite [version]`
    Pass rate: 25.00 % (1/4 files)

    **17 failing records in 3 files: 3 clusters**
    **the first 2 fixes turn 2 of 3 files green**

    ## Progress by Category

    - [ ] `select`: 33.33 % (1/3)
    - [ ] `ddl`: 0.00 % (0/1)

    ## What to fix, in this order

    | fix | records | files | alone | green | what |
    |---:|---:|---:|---:|---:|---|
    | 1 | 12 | 2 | 1 | 1 | `wrong values (another number), with operator +` |
    | 2 | 1 | 1 | 0 | 2 | `error: no such function: frobnicate` |
    | 3 | 4 | 1 | 1 | 3 | `error: near _: syntax error` |

    *alone*: files that it turns green by itself; *green*: files that are green after it.

    ## Failing Files (3)

    In each category first those that turn green first.

    ### `select/`

    - [ ] `select/sums.test` - fix 1: FAIL, 6 records, `values differ (1 expected, 1 found): another number`
    - [ ] `select/more.test` - fix 1, 2: FAIL, 7 records, `values differ (1 expected, 1 found): another number`

    ### `ddl/`

    - [ ] `ddl/cascade.test` - fix 3: FAIL, 4 records, `unexpected error: near "(": syntax error`

    ## Next Steps

    1. `wrong values (another number), with operator +`: `vibesql-sqllogictest test --engine sqlite suite/select/more.test:41`
    2. `error: no such function: frobnicate`: `vibesql-sqllogictest test --engine sqlite suite/select/more.test:71`
    3. `error: near _: syntax error`: `vibesql-sqllogictest test --engine sqlite suite/ddl/cascade.test:1`

    The first files that turn green first: `select/sums.test`, `select/more.test`, `ddl/cascade.test`

    `vibesql-sqllogictest run --failed` runs again what has not passed.
    "#);
    assert_snapshot!(shown(&sandbox, "punchlist --format csv"), @"
    exit code 0
    --- stdout
    file,category,subcategory,status,priority
    select/sums.test,select,root,FAIL,1
    select/more.test,select,root,FAIL,1
    ddl/cascade.test,ddl,root,FAIL,1
    select/good.test,select,root,PASS,3
    ");
    assert_snapshot!(shown(&sandbox, "punchlist --format json --output list.json"), @"
    exit code 0
    --- stdout
    written to list.json
    4 files: 3 failing, 0 untested
    ");
    let mut document: serde_json::Value = serde_json::from_str(&sandbox.read("list.json")).unwrap();
    (document["timestamp"], document["run"]) = ("[time]".into(), "[run]".into());
    assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
    {
      "by_category": {
        "ddl": {
          "failed": 1,
          "passed": 0,
          "total": 1,
          "untested": 0
        },
        "select": {
          "failed": 2,
          "passed": 1,
          "total": 3,
          "untested": 0
        }
      },
      "failed_files": [
        "select/sums.test",
        "select/more.test",
        "ddl/cascade.test"
      ],
      "fixes": [
        {
          "fix": 1,
          "green_after": 1,
          "records": 12,
          "title": "wrong values (another number), with operator +",
          "turns_green": [
            "select/sums.test"
          ]
        },
        {
          "fix": 2,
          "green_after": 2,
          "records": 1,
          "title": "error: no such function: frobnicate",
          "turns_green": [
            "select/more.test"
          ]
        },
        {
          "fix": 3,
          "green_after": 3,
          "records": 4,
          "title": "error: near _: syntax error",
          "turns_green": [
            "ddl/cascade.test"
          ]
        }
      ],
      "passed_files": [
        "select/good.test"
      ],
      "run": "[run]",
      "statuses": {},
      "summary": {
        "failed": 3,
        "passed": 1,
        "untested": 0
      },
      "timestamp": "[time]",
      "total_files": 4,
      "untested_files": []
    }
    "#);
}
