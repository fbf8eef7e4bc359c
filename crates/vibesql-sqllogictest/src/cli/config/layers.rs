//! The origins of settings, and their precedence.

use std::fmt;

use super::environment::VariableNote;

/// A setting of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenSetting {
    /// The identifier of the argument in clap.
    pub(super) id: String,
    pub(super) flag: String,
    /// Its arguments; none if it is switched off.
    pub(super) words: Vec<String>,
    pub(super) origin: SettingOrigin,
    /// The layer; a lower number wins.
    pub(super) rank: usize,
    /// A note about its variable.
    pub(super) note: Option<VariableNote>,
}

/// A setting that is ignored because of a conflicting one in a higher layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct IgnoredSetting {
    pub(in crate::cli) flag: String,
    pub(in crate::cli) origin: SettingOrigin,
    /// The flag that is used instead.
    pub(in crate::cli) by: String,
    pub(in crate::cli) by_origin: SettingOrigin,
}

/// Two conflicting settings of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingConflict {
    pub(super) first: GivenSetting,
    pub(super) second: GivenSetting,
}

/// The settings that are used, and those that are ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SettledSettings {
    pub(super) kept: Vec<GivenSetting>,
    pub(super) left_out: Vec<IgnoredSetting>,
}

/// Selects from the settings of all layers.
///
/// | settings | result |
/// |---|---|
/// | the same setting in two layers | the higher layer |
/// | conflicting settings in two layers | the higher layer; the other is ignored |
/// | conflicting settings in one layer | an error |
/// | a switch that is off | hides the same switch of lower layers, and conflicts with nothing |
///
/// `typed` are the identifiers and flags of the command line, which is the highest layer.
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
                    let (flag, origin) = (new.flag, new.origin);
                    settled.left_out.push(IgnoredSetting { flag, origin, by, by_origin });
                }
            }
        }
    }
    Ok(settled)
}

/// The origin of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum SettingOrigin {
    CommandLine,
    /// The environment variable, or two of them that form one setting.
    Variable(String),
    /// A key of the file.
    File {
        file: String,
        section: ConfigSection,
        line: usize,
    },
    Default,
}

/// A part of the file that has settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum ConfigSection {
    /// Before all tables.
    Defaults,
    /// `[suite.NAME]`
    Suite(String),
    /// `[profile.NAME]`
    Profile(String),
}

impl SettingOrigin {
    /// Returns the origin with its line, for an error.
    pub(super) fn place(&self) -> String {
        match self {
            Self::File { file, section: ConfigSection::Defaults, line } => format!("{file}:{line}"),
            Self::File { file, section, line } => format!("{file}:{line}, {section}"),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("command line"),
            Self::Variable(name) => f.write_str(name),
            Self::File { file, section: ConfigSection::Defaults, .. } => f.write_str(file),
            Self::File { file, section, .. } => write!(f, "{file}: {section}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for ConfigSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("defaults"),
            Self::Suite(name) => write!(f, "suite {name}"),
            Self::Profile(name) => write!(f, "profile {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(id: &str, rank: usize, on: bool) -> GivenSetting {
        let words = if on { vec![format!("--{id}={rank}")] } else { Vec::new() };
        let origin = SettingOrigin::Variable(rank.to_string());
        GivenSetting { id: id.to_owned(), flag: id.to_owned(), words, origin, rank, note: None }
    }

    /// `a` and `b` conflict.
    fn exclude(one: &str, other: &str) -> bool {
        [one, other] == ["a", "b"] || [one, other] == ["b", "a"]
    }

    proptest! {
        /// A kept setting is the highest of its name, and no two kept settings conflict.
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
