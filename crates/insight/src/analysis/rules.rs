//! Which features of the SQL set failing records apart from those that pass.
//!
//! What is found are rules: a few features that a record must have. The passing records of the same file say what is
//! usual there; where there are few of them, those of all files do. A rule is either *sure*, when nearly all records
//! that it covers fail, or it is what failing records have far more often than would be expected. Of a rule that is
//! far from sure it is tried whether a few sure ones explain most of what it covers: then these are reasons of their own.

use std::collections::{BTreeMap, HashMap};

use super::sql::Feature;

/// A set of features by its number.
pub(super) type SetId = u32;

/// What makes records comparable: their file, and whether they are queries.
pub(super) type Stratum = (u32, bool);

/// Features that records have who fail for one reason.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) features: Vec<Feature>,
    /// How many of the records that it covers fail so, of those in the files where this happens. Passing ones are
    /// known by a sample.
    pub(super) share: f64,
}

/// Passing records, by the sets of their features. A record of a sample stands for several.
#[derive(Debug, Default)]
pub(super) struct Background {
    pub(super) of: HashMap<Stratum, BTreeMap<SetId, f64>>,
    /// Those of all files together; the second are the queries.
    all: [BTreeMap<SetId, f64>; 2],
}

impl Background {
    pub(super) fn add(&mut self, stratum: Stratum, set: SetId, weight: f64) {
        *self.of.entry(stratum).or_default().entry(set).or_insert(0.0) += weight;
        *self.all[usize::from(stratum.1)].entry(set).or_insert(0.0) += weight;
    }

    /// Adds a record of a file in which nothing fails.
    pub(super) fn add_elsewhere(&mut self, is_query: bool, set: SetId, weight: f64) {
        *self.all[usize::from(is_query)].entry(set).or_insert(0.0) += weight;
    }
}

/// Records that fail in one way, by stratum and set.
pub(super) type FailingCounts = BTreeMap<Stratum, BTreeMap<SetId, u64>>;

/// So many passing records of a file weigh as much as those of all files.
const PRIOR: f64 = 10.0;
/// From this share on a rule is sure.
const SURE: f64 = 0.9;
/// From this share on a rule needs no better ones within it.
const GOOD: f64 = 0.6;
/// A rule covers so many records at least, and such a share of what is to be explained.
const LEAST: f64 = 3.0;
const LEAST_SHARE: f64 = 0.05;
/// How much more likely a rule must make what is seen, in natural logarithms.
const EVIDENCE: f64 = 8.0;
/// The same for rules that have little evidence.
const LEAST_OF_WEAK: f64 = 2.0;
const EVIDENCE_OF_WEAK: f64 = 4.0;
/// How much more often a feature must be there than expected, as a ratio of odds.
const ODDS: f64 = 4.0;
/// A rule that is not sure covers such a share of what is to be explained, at least.
const LEAST_SHARE_UNSURE: f64 = 0.1;
/// Sure rules replace one that is not if they explain this share of it.
const MOST: f64 = 0.6;
const MOST_FEATURES: usize = 3;
const MOST_RULES: usize = 12;
const MOST_CANDIDATES: usize = 30;

/// Whether a set of features, which is sorted, has all of a rule.
pub(super) fn covers(rule: &[Feature], set: &[Feature]) -> bool {
    rule.iter().all(|feature| set.binary_search(feature).is_ok())
}

/// Finds rules for records that fail in one way.
pub(super) struct Miner<'m> {
    pub(super) failing: FailingCounts,
    pub(super) background: &'m Background,
    /// The features of each set.
    pub(super) sets: &'m [Box<[Feature]>],
    /// How many features there are.
    pub(super) features: usize,
}

/// Records with one set of features.
#[derive(Debug, Clone, Copy)]
struct FeatureSet {
    set: SetId,
    tally: Tally,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    failing: f64,
    /// As many as there would be if failing records were like passing ones.
    expected: f64,
    /// Passing ones in the files where something fails.
    passing: f64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.failing += other.failing;
        self.expected += other.expected;
        self.passing += other.passing;
    }

    fn share(self) -> f64 {
        self.failing / (self.failing + self.passing).max(f64::MIN_POSITIVE)
    }

    /// How much more likely it makes what is seen that `all` failing records have this more often than expected.
    fn gain(self, all: f64) -> f64 {
        let expected = self.expected.clamp(all * 0.002, all * 0.998);
        let (without, expected_without) = (all - self.failing, all - expected);
        if self.failing <= expected {
            return 0.0;
        }
        let part = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
        part(self.failing, expected) + part(without, expected_without)
    }

    fn odds(self, all: f64) -> f64 {
        let odds = |count: f64| (count + 0.5) / (all - count + 0.5).max(0.5);
        odds(self.failing) / odds(self.expected.min(all))
    }
}

impl Miner<'_> {
    /// The rules, the first of them to be asked first. What no rule covers has no explanation in its SQL.
    pub(super) fn rules(mut self) -> Vec<Rule> {
        let mut rules = Vec::new();
        while rules.len() < MOST_RULES {
            let found = self.next();
            if found.is_empty() {
                break;
            }
            found.iter().for_each(|rule| self.remove(&rule.features));
            rules.extend(found);
        }
        rules
    }

    /// Rules for records for which [`Miner::rules`] has none: sure ones that have little evidence, since they cover few
    /// records. They may be there by chance, but without them these records would be one heap.
    pub(super) fn weak_rules(self) -> Vec<Rule> {
        let rules = self.sure_rules(&self.entries(), LEAST_OF_WEAK, EVIDENCE_OF_WEAK);
        rules.into_iter().map(|(rule, _)| rule).collect()
    }

    /// A feature as a rule, however many of the records with it fail.
    pub(super) fn rule_of(&self, feature: Feature) -> Rule {
        let covered = self.covered(&self.entries(), &[feature]);
        Rule { features: vec![feature], share: self.total(&covered).share() }
    }

    fn set(&self, set: SetId) -> &[Feature] {
        &self.sets[set as usize]
    }

    fn remove(&mut self, rule: &[Feature]) {
        let sets = self.sets;
        for stratum in self.failing.values_mut() {
            stratum.retain(|&set, _| !covers(rule, &sets[set as usize]));
        }
    }

    /// What is left to explain, and what is usual beside it.
    fn entries(&self) -> Vec<FeatureSet> {
        let mut entries = BTreeMap::<SetId, Tally>::new();
        let nothing = BTreeMap::new();
        // How much the passing records of all files are worth.
        let mut elsewhere = [0.0; 2];
        for (stratum, failing) in &self.failing {
            let count: u64 = failing.values().sum();
            if count == 0 {
                continue;
            }
            for (&set, &failing) in failing {
                entries.entry(set).or_default().failing += failing as f64;
            }
            let passing = self.background.of.get(stratum).unwrap_or(&nothing);
            let worth = count as f64 / (passing.values().sum::<f64>() + PRIOR);
            elsewhere[usize::from(stratum.1)] += worth * PRIOR;
            for (&set, &passing) in passing {
                let expected = worth * passing;
                entries.entry(set).or_default().add(Tally { failing: 0.0, expected, passing });
            }
        }
        for (all, worth) in self.background.all.iter().zip(elsewhere) {
            let sum: f64 = all.values().sum();
            for (&set, &passing) in all.iter().filter(|_| worth > 0.0) {
                entries.entry(set).or_default().expected += worth * passing / sum;
            }
        }
        entries.into_iter().map(|(set, tally)| FeatureSet { set, tally }).collect()
    }

    fn total(&self, entries: &[FeatureSet]) -> Tally {
        let _ = self;
        entries.iter().fold(Tally::default(), |mut sum, entry| {
            sum.add(entry.tally);
            sum
        })
    }

    /// The records that have each feature.
    fn by_feature(&self, entries: &[FeatureSet]) -> Vec<Tally> {
        let mut tallies = vec![Tally::default(); self.features];
        for entry in entries {
            self.set(entry.set).iter().for_each(|&feature| tallies[feature as usize].add(entry.tally));
        }
        tallies
    }

    fn covered(&self, entries: &[FeatureSet], rule: &[Feature]) -> Vec<FeatureSet> {
        entries.iter().filter(|entry| covers(rule, self.set(entry.set))).copied().collect()
    }

    /// The next rules; several if they are the sure parts of one that is not.
    fn next(&self) -> Vec<Rule> {
        let entries = self.entries();
        let all = self.total(&entries);
        if all.failing < LEAST || (all.passing == 0.0 && all.expected == 0.0) {
            return Vec::new();
        }
        let Some(rule) = self.striking(&entries, all.failing) else {
            let least = LEAST.max(LEAST_SHARE * all.failing);
            let sure = self.sure_rules(&entries, least, EVIDENCE);
            return sure.into_iter().map(|(rule, _)| rule).collect();
        };
        if rule.share >= GOOD {
            return vec![rule];
        }
        let inside = self.covered(&entries, &rule.features);
        let within = self.total(&inside).failing;
        let sure = self.sure_rules(&inside, LEAST.max(LEAST_SHARE * within), EVIDENCE);
        let explained: f64 = sure.iter().map(|(_, failing)| failing).sum();
        if sure.len() > 1 && explained >= MOST * within {
            return sure.into_iter().map(|(sure, _)| self.joined(&entries, &rule, sure)).collect();
        }
        vec![rule]
    }

    /// A sure rule that was found among the records of another, as a rule by itself: without the other, if it is sure
    /// without it.
    fn joined(&self, entries: &[FeatureSet], outer: &Rule, sure: Rule) -> Rule {
        if self.total(&self.covered(entries, &sure.features)).share() >= SURE {
            return sure;
        }
        let mut features = [outer.features.as_slice(), sure.features.as_slice()].concat();
        features.sort_unstable();
        features.dedup();
        Rule { features, ..sure }
    }

    /// What failing records have far more often than would be expected.
    fn striking(&self, entries: &[FeatureSet], all: f64) -> Option<Rule> {
        let enough = |tally: &Tally| {
            tally.failing >= LEAST.max(LEAST_SHARE_UNSURE * all)
                && tally.odds(all) >= ODDS
                && tally.gain(all) >= EVIDENCE
        };
        let tallies = self.by_feature(entries);
        let candidates = (0..).zip(&tallies).filter(|(_, tally)| enough(tally));
        let (feature, tally) = best_by(candidates, |tally| tally.gain(all))?;
        let (mut features, mut tally) = (vec![feature], tally);
        while features.len() < MOST_FEATURES {
            let inside = self.by_feature(&self.covered(entries, &features));
            let finer = |other: &Tally| {
                other.failing >= 0.9 * tally.failing
                    && other.gain(all) > tally.gain(all) * 1.05 + EVIDENCE / 2.0
            };
            let candidates =
                (0..).zip(&inside).filter(|(feature, other)| !features.contains(feature) && finer(other));
            let Some((feature, finer)) = best_by(candidates, |tally| tally.gain(all)) else { break };
            features.push(feature);
            tally = finer;
        }
        features.sort_unstable();
        Some(Rule { features, share: tally.share() })
    }

    /// Rules by which nearly all records fail, with the number of failing records that each covers: so many at least.
    fn sure_rules(&self, entries: &[FeatureSet], least: f64, evidence: f64) -> Vec<(Rule, f64)> {
        let mut left = entries.to_vec();
        let mut rules = Vec::new();
        while rules.len() < MOST_RULES {
            let Some((rule, failing)) = self.sure_rule(&left, least, evidence) else { break };
            for entry in left.iter_mut().filter(|entry| covers(&rule.features, self.set(entry.set))) {
                entry.tally.failing = 0.0;
            }
            rules.push((rule, failing));
        }
        rules
    }

    fn sure_rule(&self, entries: &[FeatureSet], least: f64, needed: f64) -> Option<(Rule, f64)> {
        let base = self.total(entries).share();
        let evidence = |tally: Tally| tally.failing * (tally.share() / base).ln();
        let tallies = self.by_feature(entries);
        let mut candidates: Vec<_> = (0_u32..)
            .zip(&tallies)
            .filter(|(_, tally)| tally.failing >= least && tally.share() > base)
            .map(|(feature, tally)| (feature, *tally))
            .collect();
        candidates.sort_by(|(_, one), (_, other)| evidence(*other).total_cmp(&evidence(*one)));
        candidates.truncate(MOST_CANDIDATES);
        let mut best: Option<(Rule, f64)> = None;
        for (feature, tally) in candidates {
            if best.as_ref().is_some_and(|(_, failing)| *failing >= tally.failing) {
                continue;
            }
            let Some((features, tally)) = self.grow(entries, feature, tally, least) else { continue };
            let better = best.as_ref().is_none_or(|(_, failing)| tally.failing > *failing);
            if better && evidence(tally) >= needed {
                best = Some((Rule { features, share: tally.share() }, tally.failing));
            }
        }
        best
    }

    /// Adds features to one until the rule is sure.
    fn grow(
        &self,
        entries: &[FeatureSet],
        feature: Feature,
        mut tally: Tally,
        least: f64,
    ) -> Option<(Vec<Feature>, Tally)> {
        let mut features = vec![feature];
        while tally.share() < SURE {
            if features.len() == MOST_FEATURES {
                return None;
            }
            let inside = self.by_feature(&self.covered(entries, &features));
            let worth = |other: &Tally| other.failing * (other.share() / tally.share()).ln();
            let candidates = (0..).zip(&inside).filter(|(feature, other)| {
                !features.contains(feature) && other.failing >= least && other.share() > tally.share()
            });
            let (feature, finer) = best_by(candidates, worth)?;
            features.push(feature);
            tally = finer;
        }
        features.sort_unstable();
        Some((features, tally))
    }
}

/// The candidate with the highest value; of equals the first.
fn best_by<'t>(
    candidates: impl Iterator<Item = (Feature, &'t Tally)>,
    value: impl Fn(&Tally) -> f64,
) -> Option<(Feature, Tally)> {
    let mut best: Option<(Feature, Tally, f64)> = None;
    for (feature, tally) in candidates {
        let value = value(tally);
        if best.as_ref().is_none_or(|(_, _, other)| value > *other) {
            best = Some((feature, *tally, value));
        }
    }
    best.map(|(feature, tally, _)| (feature, tally))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of files: the features of each, and whether it fails.
    fn rules(files: &[Vec<(Vec<Feature>, bool)>]) -> Vec<(Vec<Feature>, String)> {
        let mut sets = Vec::<Box<[Feature]>>::new();
        let (mut failing, mut background) = (FailingCounts::new(), Background::default());
        for (file, records) in (0..).zip(files) {
            for (features, fails) in records {
                let mut features = features.clone();
                features.sort_unstable();
                let place = sets.iter().position(|set| **set == *features).unwrap_or(sets.len());
                if place == sets.len() {
                    sets.push(features.into());
                }
                if *fails {
                    *failing.entry((file, true)).or_default().entry(place as u32).or_insert(0) += 1;
                } else {
                    background.add((file, true), place as u32, 1.0);
                }
            }
        }
        let found = Miner { failing, background: &background, sets: &sets, features: 20 }.rules();
        found.into_iter().map(|rule| (rule.features, format!("{:.1}", rule.share))).collect()
    }

    /// Records that have features 0, and 1 to 9 by chance. Those fail that `fails` says.
    fn records(
        seed: u64,
        count: usize,
        fails: impl Fn(&[Feature], u64) -> bool,
    ) -> Vec<(Vec<Feature>, bool)> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        (0..count)
            .map(|_| {
                let others =
                    (1..10).filter(|&feature| next() % u64::from(feature + 1) == 0).collect::<Vec<_>>();
                let features = [vec![0], others].concat();
                let fails = fails(&features, next() % 100);
                (features, fails)
            })
            .collect()
    }

    #[test]
    fn a_feature_by_which_all_fail() {
        let files: Vec<_> =
            (1..4).map(|seed| records(seed, 200, |features, _| features.contains(&5))).collect();
        assert_eq!(rules(&files), [(vec![5], "1.0".to_owned())]);
    }

    #[test]
    fn two_features_of_which_each_is_a_reason() {
        let files = [records(7, 600, |features, _| features.contains(&5) || features.contains(&8))];
        let found = rules(&files);
        assert_eq!(found.iter().map(|(rule, _)| rule.clone()).collect::<Vec<_>>(), [vec![5], vec![8]]);
    }

    #[test]
    fn two_features_that_only_together_are_a_reason() {
        let files = [records(3, 600, |features, _| features.contains(&2) && features.contains(&4))];
        assert_eq!(rules(&files), [(vec![2, 4], "1.0".to_owned())]);
    }

    #[test]
    fn a_feature_by_which_some_fail_is_one_reason() {
        let files = [records(11, 900, |features, chance| features.contains(&6) && chance < 40)];
        let found = rules(&files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, [6]);
    }

    #[test]
    fn chance_is_no_reason() {
        let files = [records(5, 400, |_, chance| chance < 30)];
        assert_eq!(rules(&files), []);
        let everything = [records(5, 400, |_, _| true)];
        assert_eq!(rules(&everything), []);
    }

    #[test]
    fn what_fails_everywhere_in_a_file_stands_out_against_other_files() {
        let special = (0..50).map(|_| (vec![0, 9], true)).collect();
        let usual = (0..300).map(|_| (vec![0, 1], false)).collect();
        assert_eq!(rules(&[special, usual]), [(vec![9], "1.0".to_owned())]);
    }
}
