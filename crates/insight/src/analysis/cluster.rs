//! Builds clusters of failing records that probably have one cause.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::facts::{Facts, MissingSql, ReadOptions, RecordFacts, collect, sql_of};
use super::rules::{FailingCounts, FeatureRule, RuleMiner, covers};
use super::sql::Feature;
use super::symptom::Symptom;
use super::texts::SourceTexts;
use super::unlock::{ClusterId, green_after, order};
use slt_core::outcome::{Difference, Digest, RunReport};

/// The causes of the failures of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The number of failing records.
    pub failing: u64,
    /// The clusters, in the order in which fixing them turns most files green soonest.
    pub clusters: Vec<Cluster>,
    /// The failing files, in the order in which they turn green.
    pub files: Vec<FailingFile>,
    /// Records after an early end of their file, with unknown outcomes.
    pub not_reached: u64,
    /// Files that could not be analysed completely.
    pub gaps: Vec<MissingSql>,
    /// The cluster of each failing record, in the order of the files and lines of the report.
    pub records: Vec<RecordCluster>,
}

/// The cluster of a failing record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordCluster {
    /// The place of the file in the report of the run.
    pub file: u32,
    /// Its place among the failing records of the file.
    pub place: u32,
    /// The place of the cluster in the analysis.
    pub cluster: u32,
    /// Whether no earlier failure caused it.
    pub is_root: bool,
}

/// Failing records that probably have one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The same number for similar clusters in all runs.
    pub fingerprint: u64,
    /// The common symptom.
    pub symptom: Symptom,
    /// The distinctive features of their SQL.
    pub features: Vec<String>,
    /// The share of failures among the records with these features, between 0 and 1; `None` without features.
    pub share: Option<f64>,
    /// How the values of wrong results differ, the most frequent first.
    pub classes: Vec<(Difference, u64)>,
    /// The number of its records, with consequences.
    pub records: u64,
    /// The number of its consequences of other records in the same file.
    pub consequences: u64,
    /// The files with one of these records, by their places in the report of the run.
    pub files: Vec<usize>,
    /// The number of files without another cluster: fixing this one turns them green.
    pub only: u64,
    /// The number of green files after fixing this cluster and those before it.
    pub green_after: u64,
    /// The smallest record; `None` for files that fail as a whole.
    pub example: Option<ClusterExample>,
}

/// The example of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterExample {
    /// The place of the file in the report of the run.
    pub file: usize,
    /// Its place among the failing records of the file.
    pub place: usize,
    /// The present line of the record, if known.
    pub now: Option<u32>,
    /// The SQL, if known.
    pub sql: Option<String>,
}

/// A failing file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingFile {
    /// Its place in the report of the run.
    pub file: usize,
    /// The number of its failing records.
    pub records: u64,
    /// The places of its clusters in the analysis.
    pub clusters: Vec<usize>,
}

impl FailingFile {
    /// Returns the number of fixes after which the file is green.
    pub fn fixes(&self) -> usize {
        self.clusters.last().map_or(0, |last| last + 1)
    }
}

/// Finds the clusters of a run. `dialect` is the dialect of the run, if it was set.
pub fn analyze(report: &RunReport, dialect: Option<&str>, texts: &mut dyn SourceTexts) -> Analysis {
    let reading = ReadOptions { dialect, exact: report.header.exact, labels: &report.header.labels };
    let facts = collect(report, reading, texts);
    let found = Clustering::new(&facts);
    let files = found.files(&facts, report);
    let mut order = order(&files, &found.weights());
    // Unknown failures come last, because there is nothing to fix.
    order.sort_by_key(|&id| facts.symptoms[found.kinds[id as usize].symptom as usize].is_unknown());
    let green = green_after(&files, &order);
    let mut places = vec![0; order.len()];
    for (place, &cluster) in order.iter().enumerate() {
        places[cluster as usize] = place;
    }
    let mut analysis = Analysis {
        failing: facts.records.len() as u64,
        clusters: order
            .iter()
            .zip(green)
            .map(|(&id, green)| found.cluster(id, &files, green, &facts))
            .collect(),
        files: red_files(report, &files, &places),
        records: facts
            .records
            .iter()
            .zip(&found.of_record)
            .map(|(record, &id)| RecordCluster {
                file: record.file,
                place: record.place,
                cluster: places[id as usize] as u32,
                is_root: record.root.is_none(),
            })
            .collect(),
        not_reached: report.files.iter().map(|file| file.counts.not_reached).sum(),
        gaps: facts.gaps,
    };
    tell_sql(&mut analysis, report, reading, texts);
    analysis
}

fn red_files(report: &RunReport, files: &[Vec<ClusterId>], places: &[usize]) -> Vec<FailingFile> {
    let red = files.iter().enumerate().filter(|(_, clusters)| !clusters.is_empty());
    let mut red: Vec<_> = red
        .map(|(file, clusters)| {
            let mut clusters: Vec<_> = clusters.iter().map(|&cluster| places[cluster as usize]).collect();
            clusters.sort_unstable();
            FailingFile { file, records: report.files[file].failures.len() as u64, clusters }
        })
        .collect();
    red.sort_by_key(|red| (red.fixes(), red.clusters.len(), red.records, red.file));
    red
}

/// Reads the SQL of the examples again.
fn tell_sql(
    analysis: &mut Analysis,
    report: &RunReport,
    reading: ReadOptions<'_>,
    texts: &mut dyn SourceTexts,
) {
    let mut by_file = BTreeMap::<usize, Vec<&mut ClusterExample>>::new();
    for example in analysis.clusters.iter_mut().filter_map(|cluster| cluster.example.as_mut()) {
        by_file.entry(example.file).or_default().push(example);
    }
    for (place, examples) in by_file {
        let file = &report.files[place];
        let source =
            if examples.iter().any(|example| example.now.is_some()) { texts.text(file).ok() } else { None };
        let script = source.as_ref().and_then(|source| reading.script(file, source).ok());
        for example in examples {
            let record = script.as_ref().zip(example.now).and_then(|(script, line)| script.record_at(line));
            let detail = || file.failures.get(example.place)?.detailed();
            example.sql = record.map(sql_of).or_else(|| detail().map(|detail| detail.sql.to_owned()));
        }
    }
}

/// The state of the search for clusters.
struct Clustering {
    kinds: Vec<ClusterKey>,
    /// The cluster of each failing record.
    of_record: Vec<ClusterId>,
    /// The cluster of each file that fails as a whole.
    of_whole: Vec<ClusterId>,
}

struct ClusterKey {
    symptom: u32,
    rule: Option<FeatureRule>,
    /// The common class of records without a rule.
    class: Option<Difference>,
}

/// Statements that split records without other features; the first match counts.
const VERBS: [&str; 14] = [
    "CREATE",
    "ALTER",
    "DROP",
    "INSERT",
    "REPLACE",
    "UPDATE",
    "DELETE",
    "SAVEPOINT",
    "RELEASE",
    "ROLLBACK",
    "COMMIT",
    "BEGIN",
    "PRAGMA",
    "SELECT",
];

/// The minimum share of a conclusive symptom that a rule must cover to describe it.
const NAMES: f64 = 0.8;
/// The maximum share of other classes in a file where hashes and values of one class are wrong.
const STRAY: f64 = 0.1;
const NONE: ClusterId = ClusterId::MAX;

impl Clustering {
    fn new(facts: &Facts) -> Self {
        let mut found =
            Self { kinds: Vec::new(), of_record: vec![NONE; facts.records.len()], of_whole: Vec::new() };
        let mut families = BTreeMap::<u32, Vec<usize>>::new();
        for (place, record) in facts.records.iter().enumerate().filter(|(_, record)| record.root.is_none()) {
            families.entry(record.symptom).or_default().push(place);
        }
        // Conclusive records go first, since hashes may belong to them.
        let (vague, plain): (Vec<_>, Vec<_>) =
            families.into_iter().partition(|(symptom, _)| facts.symptoms[*symptom as usize].is_vague());
        for (symptom, records) in plain {
            found.one_cluster(symptom, &records, facts);
        }
        for (symptom, records) in vague {
            let records = found.without_hashes_of_others(records, facts);
            found.several_clusters(symptom, records, facts);
        }
        for (place, record) in facts.records.iter().enumerate() {
            if let Some(root) = record.root {
                found.of_record[place] = found.of_record[root as usize];
            }
        }
        let mut of_symptom = HashMap::new();
        for &(_, symptom) in &facts.whole {
            let cluster = *of_symptom.entry(symptom).or_insert_with(|| {
                found.kinds.push(ClusterKey { symptom, rule: None, class: None });
                (found.kinds.len() - 1) as ClusterId
            });
            found.of_whole.push(cluster);
        }
        found
    }

    fn add(&mut self, symptom: u32, rule: Option<FeatureRule>, records: &[usize]) {
        let cluster = self.kinds.len() as ClusterId;
        self.kinds.push(ClusterKey { symptom, rule, class: None });
        records.iter().for_each(|&record| self.of_record[record] = cluster);
    }

    fn one_cluster(&mut self, symptom: u32, records: &[usize], facts: &Facts) {
        let rules = miner_of(records, facts).rules();
        let rule = rules.into_iter().next().filter(|rule| {
            let covered =
                records.iter().filter(|&&record| is_covered(&facts.records[record], rule, facts)).count();
            covered as f64 >= NAMES * records.len() as f64
        });
        self.add(symptom, rule, records);
    }

    fn several_clusters(&mut self, symptom: u32, mut records: Vec<usize>, facts: &Facts) {
        let rules = miner_of(&records, facts).rules();
        records = self.by_rules(symptom, records, rules, facts);
        let weak = miner_of(&records, facts).weak_rules();
        records = self.by_rules(symptom, records, weak, facts);
        self.heap(symptom, records, facts);
    }

    /// Builds clusters from rules, and returns the remaining records.
    fn by_rules(
        &mut self,
        symptom: u32,
        mut records: Vec<usize>,
        rules: Vec<FeatureRule>,
        facts: &Facts,
    ) -> Vec<usize> {
        for rule in rules {
            let (covered, rest): (Vec<_>, Vec<_>) =
                records.into_iter().partition(|&record| is_covered(&facts.records[record], &rule, facts));
            if !covered.is_empty() {
                self.add(symptom, Some(rule), &covered);
            }
            records = rest;
        }
        records
    }

    /// Builds clusters of records without separating features: by the difference of their values, or by their
    /// statement.
    fn heap(&mut self, symptom: u32, records: Vec<usize>, facts: &Facts) {
        let known = |verb: &&str| Some(facts.book.get_index_of(*verb)? as Feature);
        let verbs: Vec<_> = VERBS.iter().filter_map(known).collect();
        let mut parts = BTreeMap::<(Option<Difference>, Option<usize>), Vec<usize>>::new();
        for place in records {
            let record = &facts.records[place];
            let set = record.set.map(|set| &facts.sets[set as usize]);
            let has = |verb: &Feature| set.is_some_and(|set| set.binary_search(verb).is_ok());
            let verb = if record.class.is_some() { None } else { verbs.iter().position(has) };
            parts.entry((record.class, verb)).or_default().push(place);
        }
        let apart = parts.len() > 1;
        for ((class, verb), records) in parts {
            // A property of all records separates nothing.
            let rule = verb.filter(|_| apart).map(|verb| miner_of(&records, facts).rule_of(verbs[verb]));
            self.add(symptom, rule, &records);
            if let Some(kind) = self.kinds.last_mut() {
                kind.class = class;
            }
        }
    }

    /// Assigns results that are known by their hash only to a cluster with a conclusive class.
    ///
    /// The cluster's rule must match, or nearly all known results of the file must be wrong in this way. Returns the
    /// other records.
    fn without_hashes_of_others(&mut self, records: Vec<usize>, facts: &Facts) -> Vec<usize> {
        let mut known = HashMap::<u32, (u64, BTreeMap<ClusterId, u64>)>::new();
        for (record, &cluster) in facts.records.iter().zip(&self.of_record) {
            let of_file = known.entry(record.file).or_default();
            match record.class {
                Some(class) if class.is_telling() && cluster != NONE => {
                    *of_file.1.entry(cluster).or_insert(0) += 1;
                }
                Some(Difference::Hash) | None => {}
                Some(_) => of_file.0 += u64::from(record.root.is_none()),
            }
        }
        let cluster_of = |record: &RecordFacts, kinds: &[ClusterKey]| {
            let (others, telling) = known.get(&record.file)?;
            let by_rule = telling.keys().find(|&&cluster| {
                kinds[cluster as usize].rule.as_ref().is_some_and(|rule| is_covered(record, rule, facts))
            });
            by_rule.copied().or_else(|| {
                let (cluster, count) = telling.iter().max_by_key(|(_, count)| **count)?;
                let strays = others + telling.values().sum::<u64>() - count;
                (*count > 2 && strays as f64 <= STRAY * *count as f64).then_some(*cluster)
            })
        };
        let mut left = Vec::with_capacity(records.len());
        for place in records {
            let record = &facts.records[place];
            match Some(record).filter(|record| record.class == Some(Difference::Hash)) {
                Some(record) => match cluster_of(record, &self.kinds) {
                    Some(cluster) => self.of_record[place] = cluster,
                    None => left.push(place),
                },
                None => left.push(place),
            }
        }
        left
    }

    /// Returns the number of records of each cluster.
    fn weights(&self) -> Vec<u64> {
        let mut weights = vec![0; self.kinds.len()];
        self.of_record.iter().chain(&self.of_whole).for_each(|&cluster| weights[cluster as usize] += 1);
        weights
    }

    /// Returns the clusters of each file of the run.
    fn files(&self, facts: &Facts, report: &RunReport) -> Vec<Vec<ClusterId>> {
        let mut files = vec![BTreeSet::new(); report.files.len()];
        for (record, &cluster) in facts.records.iter().zip(&self.of_record) {
            files[record.file as usize].insert(cluster);
        }
        for ((file, _), &cluster) in facts.whole.iter().zip(&self.of_whole) {
            files[*file as usize].insert(cluster);
        }
        files.into_iter().map(|clusters| clusters.into_iter().collect()).collect()
    }

    fn cluster(&self, id: ClusterId, files: &[Vec<ClusterId>], green_after: u64, facts: &Facts) -> Cluster {
        let kind = &self.kinds[id as usize];
        let symptom = facts.symptoms[kind.symptom as usize].clone();
        let own = || {
            facts.records.iter().zip(&self.of_record).filter(|(_, of)| **of == id).map(|(record, _)| record)
        };
        let mut classes = BTreeMap::<Difference, u64>::new();
        own().filter_map(|record| record.class).for_each(|class| *classes.entry(class).or_insert(0) += 1);
        let mut classes: Vec<_> = classes.into_iter().collect();
        classes.sort_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
        let features = kind.rule.iter().flat_map(|rule| &rule.features);
        let mut features: Vec<_> = features.map(|&feature| facts.book[feature as usize].clone()).collect();
        features.sort();
        let has_it = |clusters: &&Vec<ClusterId>| clusters.contains(&id);
        Cluster {
            fingerprint: fingerprint(&symptom, kind.class, &features),
            symptom,
            features,
            share: kind.rule.as_ref().map(|rule| rule.share),
            classes,
            records: own().count() as u64,
            consequences: own().filter(|record| record.root.is_some()).count() as u64,
            files: files
                .iter()
                .enumerate()
                .filter(|(_, clusters)| has_it(clusters))
                .map(|(file, _)| file)
                .collect(),
            only: files.iter().filter(|clusters| **clusters == [id]).count() as u64,
            green_after,
            example: smallest(own()),
        }
    }
}

fn fingerprint(symptom: &Symptom, class: Option<Difference>, features: &[String]) -> u64 {
    let features = features.iter().map(String::as_str);
    let words = [symptom.kind.as_str(), symptom.what.as_str()].into_iter().chain(class.map(Difference::word));
    Digest::from_words(words.chain(features).map(str::as_bytes)).short()
}

/// Returns the record with the shortest SQL that is not a consequence; the first of equals.
fn smallest<'r>(records: impl Iterator<Item = &'r RecordFacts>) -> Option<ClusterExample> {
    let roots = records.filter(|record| record.root.is_none() && record.is_record);
    let found = roots.min_by_key(|record| (record.length.unwrap_or(u32::MAX), record.now.is_none()))?;
    Some(ClusterExample { file: found.file as usize, place: found.place as usize, now: found.now, sql: None })
}

fn is_covered(record: &RecordFacts, rule: &FeatureRule, facts: &Facts) -> bool {
    record.set.is_some_and(|set| covers(&rule.features, &facts.sets[set as usize]))
}

fn miner_of<'f>(records: &[usize], facts: &'f Facts) -> RuleMiner<'f> {
    let mut failing = FailingCounts::new();
    for record in records.iter().map(|&record| &facts.records[record]) {
        if let Some(set) = record.set {
            *failing.entry((record.file, record.is_query)).or_default().entry(set).or_insert(0) += 1;
        }
    }
    RuleMiner { failing, background: &facts.background, sets: &facts.sets, features: facts.book.len() }
}
