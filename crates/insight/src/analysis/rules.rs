//! Finds the features of SQL that separate failing from passing records.
//!
//! The results are rules: a few features that a record must have. The baseline is the passing records of the same file,
//! supplemented by those of all files where there are few. A rule is either *sure*, when nearly all records that it
//! covers fail, or *striking*, when failing records have it far more often than expected. If a few sure rules explain
//! most records of a striking one, they replace it.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexSet;

use super::sql::Feature;

/// A set of features by its number.
pub(super) type SetId = u32;

/// The group within which records are compared: their file, and whether they are queries.
pub(super) type Stratum = (u32, bool);

/// The common features of records with one cause.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FeatureRule {
    pub(super) features: Vec<Feature>,
    /// The share of failures among the covered records, in files with such failures. Passing records are sampled.
    pub(super) share: f64,
}

/// Passing records, by the sets of their features. A record of a sample stands for several.
#[derive(Debug, Default)]
pub(super) struct PassingRecords {
    pub(super) of: HashMap<Stratum, BTreeMap<SetId, f64>>,
    /// The records of all files, statements and queries.
    all: [BTreeMap<SetId, f64>; 2],
}

impl PassingRecords {
    pub(super) fn add(&mut self, stratum: Stratum, set: SetId, weight: f64) {
        *self.of.entry(stratum).or_default().entry(set).or_insert(0.0) += weight;
        *self.all[usize::from(stratum.1)].entry(set).or_insert(0.0) += weight;
    }

    /// Adds a record of a file without failures.
    pub(super) fn add_elsewhere(&mut self, is_query: bool, set: SetId, weight: f64) {
        *self.all[usize::from(is_query)].entry(set).or_insert(0.0) += weight;
    }
}

/// Records with one symptom, by stratum and set.
pub(super) type FailingCounts = BTreeMap<Stratum, BTreeMap<SetId, u64>>;

/// The number of passing records in a file that weigh as much as those of all files.
const PRIOR: f64 = 10.0;
/// The minimum share of failures of a sure rule.
const SURE: f64 = 0.9;
/// The minimum share of failures of a rule that needs no refinement.
const GOOD: f64 = 0.6;
/// The minimum number of records that a rule must cover.
const LEAST: f64 = 3.0;
const LEAST_SHARE: f64 = 0.05;
/// The minimum log-likelihood gain of a rule.
const EVIDENCE: f64 = 8.0;
/// The same for rules that have little evidence.
const LEAST_OF_WEAK: f64 = 2.0;
const EVIDENCE_OF_WEAK: f64 = 4.0;
/// The minimum odds ratio of a feature, compared with the expectation.
const ODDS: f64 = 4.0;
/// The minimum share of the unexplained records that an unsure rule must cover.
const LEAST_SHARE_UNSURE: f64 = 0.1;
/// The minimum share of an unsure rule that sure rules must explain to replace it.
const MOST: f64 = 0.6;
const MOST_FEATURES: usize = 3;
const MOST_RULES: usize = 12;
const MOST_CANDIDATES: usize = 30;

/// Returns whether a sorted set of features contains all features of a rule.
pub(super) fn covers(rule: &[Feature], set: &[Feature]) -> bool {
    rule.iter().all(|feature| set.binary_search(feature).is_ok())
}

/// Finds rules for records with one symptom.
pub(super) struct RuleMiner<'m> {
    pub(super) failing: FailingCounts,
    pub(super) background: &'m PassingRecords,
    /// The features of each set.
    pub(super) sets: &'m IndexSet<Box<[Feature]>>,
    /// The number of features.
    pub(super) features: usize,
}

/// Records with one set of features.
#[derive(Debug, Clone, Copy)]
struct FeatureSet {
    set: SetId,
    tally: RecordTally,
}

#[derive(Debug, Clone, Copy, Default)]
struct RecordTally {
    failing: f64,
    /// The expected number if failing records were like passing ones.
    expected: f64,
    /// The passing records in files with failures.
    passing: f64,
}

impl RecordTally {
    fn add(&mut self, other: Self) {
        self.failing += other.failing;
        self.expected += other.expected;
        self.passing += other.passing;
    }

    fn share(self) -> f64 {
        self.failing / (self.failing + self.passing).max(f64::MIN_POSITIVE)
    }

    /// Returns the log-likelihood gain if `all` failing records have this more often than expected.
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

impl RuleMiner<'_> {
    /// Returns the rules in matching order. Records without a rule have no explanation in their SQL.
    pub(super) fn rules(mut self) -> Vec<FeatureRule> {
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

    /// Returns sure rules with little evidence, for records without [`RuleMiner::rules`].
    ///
    /// They may be chance, but without them these records would stay unseparated.
    pub(super) fn weak_rules(self) -> Vec<FeatureRule> {
        let rules = self.sure_rules(&self.entries(), LEAST_OF_WEAK, EVIDENCE_OF_WEAK);
        rules.into_iter().map(|(rule, _)| rule).collect()
    }

    /// Makes a rule of one feature, with any share of failures.
    pub(super) fn rule_of(&self, feature: Feature) -> FeatureRule {
        let covered = self.covered(&self.entries(), &[feature]);
        FeatureRule { features: vec![feature], share: total(&covered).share() }
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

    /// Returns the unexplained records together with the baseline.
    fn entries(&self) -> Vec<FeatureSet> {
        let mut entries = BTreeMap::<SetId, RecordTally>::new();
        let nothing = BTreeMap::new();
        // The weight of the passing records of all files.
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
                entries.entry(set).or_default().add(RecordTally { failing: 0.0, expected, passing });
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

    /// Counts the records with each feature.
    fn by_feature(&self, entries: &[FeatureSet]) -> Vec<RecordTally> {
        let mut tallies = vec![RecordTally::default(); self.features];
        for entry in entries {
            self.set(entry.set).iter().for_each(|&feature| tallies[feature as usize].add(entry.tally));
        }
        tallies
    }

    fn covered(&self, entries: &[FeatureSet], rule: &[Feature]) -> Vec<FeatureSet> {
        entries.iter().filter(|entry| covers(rule, self.set(entry.set))).copied().collect()
    }

    /// Returns the next rules: several if sure rules replace an unsure one.
    fn next(&self) -> Vec<FeatureRule> {
        let entries = self.entries();
        let all = total(&entries);
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
        let within = total(&inside).failing;
        let sure = self.sure_rules(&inside, LEAST.max(LEAST_SHARE * within), EVIDENCE);
        let explained: f64 = sure.iter().map(|(_, failing)| failing).sum();
        if sure.len() > 1 && explained >= MOST * within {
            return sure.into_iter().map(|(sure, _)| self.joined(&entries, &rule, sure)).collect();
        }
        vec![rule]
    }

    /// Makes a sure rule within another rule independent: without the outer features, if it is sure without them.
    fn joined(&self, entries: &[FeatureSet], outer: &FeatureRule, sure: FeatureRule) -> FeatureRule {
        if total(&self.covered(entries, &sure.features)).share() >= SURE {
            return sure;
        }
        let mut features = [outer.features.as_slice(), sure.features.as_slice()].concat();
        features.sort_unstable();
        features.dedup();
        FeatureRule { features, ..sure }
    }

    /// Returns the rule that failing records match far more often than expected.
    fn striking(&self, entries: &[FeatureSet], all: f64) -> Option<FeatureRule> {
        let enough = |tally: &RecordTally| {
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
            let finer = |other: &RecordTally| {
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
        Some(FeatureRule { features, share: tally.share() })
    }

    /// Returns rules by which nearly all records fail and at least `least` failing records are covered, with that
    /// number.
    fn sure_rules(&self, entries: &[FeatureSet], least: f64, evidence: f64) -> Vec<(FeatureRule, f64)> {
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

    fn sure_rule(&self, entries: &[FeatureSet], least: f64, needed: f64) -> Option<(FeatureRule, f64)> {
        let base = total(entries).share();
        let evidence = |tally: RecordTally| tally.failing * (tally.share() / base).ln();
        let tallies = self.by_feature(entries);
        let mut candidates: Vec<_> = (0_u32..)
            .zip(&tallies)
            .filter(|(_, tally)| tally.failing >= least && tally.share() > base)
            .map(|(feature, tally)| (feature, *tally))
            .collect();
        candidates.sort_by(|(_, one), (_, other)| evidence(*other).total_cmp(&evidence(*one)));
        candidates.truncate(MOST_CANDIDATES);
        let mut best: Option<(FeatureRule, f64)> = None;
        for (feature, tally) in candidates {
            if best.as_ref().is_some_and(|(_, failing)| *failing >= tally.failing) {
                continue;
            }
            let Some((features, tally)) = self.grow(entries, feature, tally, least) else { continue };
            let better = best.as_ref().is_none_or(|(_, failing)| tally.failing > *failing);
            if better && evidence(tally) >= needed {
                best = Some((FeatureRule { features, share: tally.share() }, tally.failing));
            }
        }
        best
    }

    /// Adds features to one until the rule is sure.
    fn grow(
        &self,
        entries: &[FeatureSet],
        feature: Feature,
        mut tally: RecordTally,
        least: f64,
    ) -> Option<(Vec<Feature>, RecordTally)> {
        let mut features = vec![feature];
        while tally.share() < SURE {
            if features.len() == MOST_FEATURES {
                return None;
            }
            let inside = self.by_feature(&self.covered(entries, &features));
            let worth = |other: &RecordTally| other.failing * (other.share() / tally.share()).ln();
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

fn total(entries: &[FeatureSet]) -> RecordTally {
    entries.iter().fold(RecordTally::default(), |mut sum, entry| {
        sum.add(entry.tally);
        sum
    })
}

/// Returns the candidate with the highest value; the first of equals.
fn best_by<'t>(
    candidates: impl Iterator<Item = (Feature, &'t RecordTally)>,
    value: impl Fn(&RecordTally) -> f64,
) -> Option<(Feature, RecordTally)> {
    let valued = candidates.map(|(feature, tally)| (feature, *tally, value(tally)));
    let best = valued.reduce(|best, next| if next.2 > best.2 { next } else { best });
    best.map(|(feature, tally, _)| (feature, tally))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of files: the features of each, and whether it fails.
    fn rules(files: &[Vec<(Vec<Feature>, bool)>]) -> Vec<(Vec<Feature>, String)> {
        let mut sets = IndexSet::new();
        let (mut failing, mut background) = (FailingCounts::new(), PassingRecords::default());
        for (file, records) in (0..).zip(files) {
            for (features, fails) in records {
                let mut features = features.clone();
                features.sort_unstable();
                let place = sets.insert_full(features.into()).0;
                if *fails {
                    *failing.entry((file, true)).or_default().entry(place as u32).or_insert(0) += 1;
                } else {
                    background.add((file, true), place as u32, 1.0);
                }
            }
        }
        let found = RuleMiner { failing, background: &background, sets: &sets, features: 20 }.rules();
        found.into_iter().map(|rule| (rule.features, format!("{:.1}", rule.share))).collect()
    }

    /// Records with feature 0, and 1 to 9 by chance; `fails` selects the failing ones.
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
    fn features_that_are_a_reason() {
        let check = |file, expected: &[&[Feature]]| {
            let found: Vec<_> = rules(&[file]).into_iter().map(|(features, _)| features).collect();
            assert_eq!(found, expected);
        };
        check(records(1, 200, |features, _| features.contains(&5)), &[&[5]]);
        check(records(7, 600, |features, _| features.contains(&5) || features.contains(&8)), &[&[5], &[8]]);
        check(records(3, 600, |features, _| features.contains(&2) && features.contains(&4)), &[&[2, 4]]);
        check(records(11, 900, |features, chance| features.contains(&6) && chance < 40), &[&[6]]);
        check(records(5, 400, |_, chance| chance < 30), &[]);
        check(records(5, 400, |_, _| true), &[]);
    }

    #[test]
    fn what_fails_everywhere_in_a_file_stands_out_against_other_files() {
        let special = (0..50).map(|_| (vec![0, 9], true)).collect();
        let usual = (0..300).map(|_| (vec![0, 1], false)).collect();
        assert_eq!(rules(&[special, usual]), [(vec![9], "1.0".to_owned())]);
    }
}
