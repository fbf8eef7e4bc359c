//! The order of precedence: which of several words about one setting holds.

use super::origin::SettingOrigin;

/// A setting that one layer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenSetting {
    /// The argument, as clap knows it.
    pub(super) id: String,
    /// The flag, as the user knows it.
    pub(super) flag: String,
    /// What is to be typed for it; nothing where it is switched off.
    pub(super) words: Vec<String>,
    /// Where it comes from.
    pub(super) origin: SettingOrigin,
    /// The layer; a lower number wins.
    pub(super) rank: usize,
}

/// A setting that does not hold, since one that contradicts it stands higher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct IgnoredSetting {
    /// The flag that does not hold.
    pub(in crate::cli) flag: String,
    /// Where it comes from.
    pub(in crate::cli) origin: SettingOrigin,
    /// The flag that holds.
    pub(in crate::cli) by: String,
    /// Where that one comes from.
    pub(in crate::cli) by_origin: SettingOrigin,
}

/// Two settings of one layer that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingConflict {
    pub(super) first: GivenSetting,
    pub(super) second: GivenSetting,
}

/// What holds, and what does not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SettledSettings {
    pub(super) kept: Vec<GivenSetting>,
    pub(super) left_out: Vec<IgnoredSetting>,
}

/// Chooses from all that the layers have.
///
/// | what there is | what holds |
/// |---|---|
/// | the same setting in two layers | the higher layer |
/// | settings that exclude each other, in two layers | the higher layer; the other is left out |
/// | settings that exclude each other, in one layer | nothing: that is an error |
/// | a switch that is off | it hides the same switch of lower layers, and excludes nothing |
///
/// `typed` are the settings of the command line as identifier and flag; it stands above all.
pub(super) fn settle(
    typed: &[(String, String)],
    mut given: Vec<GivenSetting>,
    exclude: impl Fn(&str, &str) -> bool,
) -> Result<SettledSettings, Box<SettingConflict>> {
    given.sort_by_key(|given| given.rank);
    let mut settled = SettledSettings::default();
    for new in given {
        let same = |id: &str| id == new.id;
        if typed.iter().any(|(id, _)| same(id)) || settled.kept.iter().any(|kept| same(&kept.id)) {
            continue;
        }
        if new.words.is_empty() {
            settled.kept.push(new);
            continue;
        }
        let above = typed.iter().find(|(id, _)| exclude(id, &new.id));
        let above = above.map(|(_, flag)| (flag.clone(), SettingOrigin::CommandLine));
        let beside = settled.kept.iter().find(|kept| !kept.words.is_empty() && exclude(&kept.id, &new.id));
        match (above, beside) {
            (None, None) => settled.kept.push(new),
            (None, Some(beside)) if beside.rank == new.rank => {
                return Err(Box::new(SettingConflict { first: beside.clone(), second: new }));
            }
            (above, beside) => {
                let by = above.or_else(|| beside.map(|kept| (kept.flag.clone(), kept.origin.clone())));
                if let Some((by, by_origin)) = by {
                    settled.left_out.push(IgnoredSetting {
                        flag: new.flag,
                        origin: new.origin,
                        by,
                        by_origin,
                    });
                }
            }
        }
    }
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(id: &str, rank: usize, on: bool) -> GivenSetting {
        let words = if on { vec![format!("--{id}={rank}")] } else { Vec::new() };
        let origin = SettingOrigin::Variable(rank.to_string());
        GivenSetting { id: id.to_owned(), flag: id.to_owned(), words, origin, rank }
    }

    /// `a` and `b` exclude each other.
    fn exclude(one: &str, other: &str) -> bool {
        [one, other] == ["a", "b"] || [one, other] == ["b", "a"]
    }

    /// The kept as `id` and rank, the left out as `-id` and rank.
    fn check(typed: &[&str], all: Vec<GivenSetting>) -> Result<String, Box<SettingConflict>> {
        let typed: Vec<_> = typed.iter().map(|&id| (id.to_owned(), id.to_owned())).collect();
        let settled = settle(&typed, all, exclude)?;
        let kept = settled.kept.iter().map(|kept| format!("{}{}", kept.id, kept.rank));
        let out = settled.left_out.iter().map(|out| format!("-{}{}", out.flag, out.origin));
        Ok(kept.chain(out).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_table_of_precedence() {
        let cases: [(&[&str], Vec<GivenSetting>, &str); 7] = [
            (&[], vec![given("c", 2, true), given("c", 0, true), given("c", 1, true)], "c0"),
            (&["c"], vec![given("c", 0, true)], ""),
            (&["a"], vec![given("b", 0, true)], "-b0"),
            (&[], vec![given("b", 3, true), given("a", 1, true)], "a1 -b3"),
            (&[], vec![given("a", 0, false), given("a", 1, true)], "a0"),
            (&["a"], vec![given("b", 0, false)], "b0"),
            (&[], vec![given("a", 0, false), given("b", 0, true)], "a0 b0"),
        ];
        for (typed, all, expected) in cases {
            assert_eq!(check(typed, all.clone()).unwrap(), expected, "{typed:?} {all:?}");
        }
        let wrong = check(&[], vec![given("a", 1, true), given("b", 1, true)]).unwrap_err();
        assert_eq!((wrong.first.id.as_str(), wrong.second.id.as_str()), ("a", "b"));
        // What the command line leaves out is no contradiction.
        assert_eq!(check(&["a"], vec![given("a", 1, true), given("b", 1, true)]).unwrap(), "-b1");
    }

    proptest! {
        /// A setting that holds is the highest of its name, and no two that hold exclude each other.
        #[test]
        fn the_highest_holds(all in prop::collection::vec(("[abc]", 0_usize..4, any::<bool>()), 0..10)) {
            let all: Vec<_> = all.iter().map(|(id, rank, on)| given(id, *rank, *on)).collect();
            if let Ok(settled) = settle(&[], all.clone(), exclude) {
                for kept in &settled.kept {
                    let highest = all.iter().filter(|given| given.id == kept.id).map(|given| given.rank).min();
                    let left_out = settled.left_out.iter().any(|out| out.flag == kept.id);
                    prop_assert!(left_out || Some(kept.rank) == highest);
                }
                let on = |id| settled.kept.iter().any(|kept| kept.id == id && !kept.words.is_empty());
                prop_assert!(!(on("a") && on("b")));
                for id in ["a", "b", "c"] {
                    prop_assert!(settled.kept.iter().filter(|kept| kept.id == id).count() <= 1);
                }
            }
        }
    }
}
