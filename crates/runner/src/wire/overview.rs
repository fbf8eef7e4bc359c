//! The form of the overview of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::form::{List, Map, RemoteForm as _, forms};
use super::run::{CountsForm, RunEndForm, RunHeaderForm};
use slt_core::outcome::{Counts, RunEnd, RunHeader, RunOverview, ToleratedPlace, Totals};

#[derive(Serialize, Deserialize)]
#[serde(remote = "RunOverview")]
pub(crate) struct RunOverviewForm {
    #[serde(with = "RunHeaderForm")]
    header: RunHeader,
    #[serde(with = "Map::<TotalsForm>")]
    categories: BTreeMap<String, Totals>,
    dialects: BTreeMap<String, u64>,
    good: u64,
    tolerated: u64,
    #[serde(with = "List::<ToleratedPlaceForm>")]
    tolerated_places: Vec<ToleratedPlace>,
    elapsed: Duration,
    #[serde(with = "RunEndForm")]
    end: RunEnd,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Totals")]
pub(crate) struct TotalsForm {
    files: u64,
    passed: u64,
    failed: u64,
    timed_out: u64,
    empty: u64,
    flaky: u64,
    flaky_passed: u64,
    crashed: u64,
    out_of_memory: u64,
    errors: u64,
    #[serde(with = "CountsForm")]
    records: Counts,
    elapsed: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ToleratedPlace")]
pub(crate) struct ToleratedPlaceForm {
    path: String,
    shown: String,
    place: usize,
    line: u32,
}

forms! {
    TotalsForm => Totals,
    ToleratedPlaceForm => ToleratedPlace,
}
