//! Describes shards, and what a run lacks that was combined from them.

use super::subject::end;
use slt_runner::results::{Circumstances, CombinedShards};

/// Describes the missing results of a combined run, like `shard 2/3 is missing`; `None` if it has all.
pub fn defect(circumstances: Option<&Circumstances>) -> Option<String> {
    let shards = circumstances?.combined.as_ref()?;
    let incomplete = shards.parts.iter().filter(|part| !part.is_complete);
    let incomplete = incomplete
        .map(|part| format!("shard {}/{} is incomplete ({})", part.number, shards.count, end(part.end)));
    let missing = shards.missing();
    let missing = (!missing.is_empty()).then(|| {
        let verb = if missing.len() == 1 { "is" } else { "are" };
        format!("{} {verb} missing", numbers(&missing, shards.count))
    });
    let all: Vec<_> = missing.into_iter().chain(incomplete).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Describes the shards of a run, like `shard 1/3 of GROUP` or `all 3 shards of GROUP`; `None` if it has none.
pub fn brief(circumstances: Option<&Circumstances>) -> Option<String> {
    let circumstances = circumstances?;
    if let Some(combined) = &circumstances.combined {
        let CombinedShards { group, count, parts, .. } = combined;
        let parts: Vec<_> = parts.iter().map(|part| part.number).collect();
        let is_whole = combined.missing().is_empty();
        let which = if is_whole { format!("all {count} shards") } else { numbers(&parts, *count) };
        return Some(format!("{which} of {group}"));
    }
    let shard = circumstances.shard.as_ref()?;
    let group = shard.group.as_ref().map_or_else(String::new, |group| format!(" of {group}"));
    Some(format!("{}{group}", numbers(&[shard.number], shard.count)))
}

/// Returns names of shards, like `shards 1/4, 2/4 and 4/4`.
fn numbers(numbers: &[u64], count: u64) -> String {
    let names: Vec<_> = numbers.iter().map(|number| format!("{number}/{count}")).collect();
    match names.as_slice() {
        [] => "no shard".to_owned(),
        [name] => format!("shard {name}"),
        [names @ .., last] => format!("shards {} and {last}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use slt_core::location::FileId;
    use slt_core::outcome::RunEnd;
    use slt_runner::results::{RunShard, ShardPart};

    fn part(number: u64, end: RunEnd) -> ShardPart {
        ShardPart {
            number,
            attempt: 1,
            run: String::new(),
            started: 0,
            host: String::new(),
            elapsed: Duration::ZERO,
            end,
            is_complete: end == RunEnd::Completed,
            files: Vec::new(),
        }
    }

    fn combined(parts: Vec<ShardPart>, missing: &[&str]) -> Circumstances {
        let missing_files = missing.iter().map(|file| FileId::unknown(file)).collect();
        let (group, split) = ("7341".to_owned(), String::new());
        let combined = CombinedShards { group, count: 4, split, parts, missing_files };
        Circumstances { combined: Some(combined), ..Circumstances::default() }
    }

    #[test]
    fn each_missing_shard_is_named() {
        let both = |of: &Circumstances| (defect(Some(of)), brief(Some(of)).unwrap_or_default());
        let part = |number| part(number, RunEnd::Completed);
        let text = |text: &str| Some(text.to_owned());
        let all = combined((1..=4).map(part).collect(), &[]);
        assert_eq!(both(&all), (None, "all 4 shards of 7341".to_owned()));
        let one = combined(vec![part(1), part(2), part(4)], &["a"]);
        assert_eq!(both(&one), (text("shard 3/4 is missing"), "shards 1/4, 2/4 and 4/4 of 7341".to_owned()));
        let three = combined(vec![part(2)], &["a"]);
        assert_eq!(
            both(&three),
            (text("shards 1/4, 3/4 and 4/4 are missing"), "shard 2/4 of 7341".to_owned())
        );
        // There were fewer files than shards.
        assert_eq!(both(&combined(vec![part(1)], &[])), (None, "all 4 shards of 7341".to_owned()));
    }

    #[test]
    fn a_shard_without_all_results_is_named() {
        let parts = vec![part(1, RunEnd::Completed), part(2, RunEnd::BudgetSpent)];
        let expected = "shards 3/4 and 4/4 are missing; shard 2/4 is incomplete (time limit reached)";
        assert_eq!(defect(Some(&combined(parts, &["a"]))).as_deref(), Some(expected));
    }

    #[test]
    fn a_shard_that_is_not_combined_lacks_nothing() {
        let shard = RunShard {
            number: 2,
            count: 3,
            group: None,
            attempt: 0,
            split: String::new(),
            is_part: false,
            others: Vec::new(),
        };
        let of = Circumstances { shard: Some(shard), ..Circumstances::default() };
        assert_eq!((defect(Some(&of)), brief(Some(&of)).as_deref()), (None, Some("shard 2/3")));
    }
}
