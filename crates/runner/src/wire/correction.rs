//! Corrections of expected results. Only a worker and its orchestrator use them; no journal has any.

use serde::{Deserialize, Serialize};

use super::form::{List, RemoteForm as _, forms};
use slt_core::outcome::{Correction, NewLine};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Correction")]
pub(crate) enum CorrectionForm {
    Lines {
        #[serde(with = "List::<NewLineForm>")]
        lines: Vec<NewLine>,
        letters: String,
        is_hash: bool,
    },
    Pattern,
    OtherFile,
    NotText,
    ReadsAsPattern,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NewLine")]
pub(crate) enum NewLineForm {
    Kept(usize),
    Text(String),
}

forms! {
    CorrectionForm => Correction,
    NewLineForm => NewLine,
}
