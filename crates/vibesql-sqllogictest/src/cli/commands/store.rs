//! `store`: manages the stored runs and the results database that is made of them.

mod backup;
mod export;
mod import;
mod prune;
#[cfg(feature = "store")]
mod tables;
#[cfg(feature = "store")]
mod verify;

use crate::cli::args::StoreCommand;
use crate::cli::error::CommandResult;
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;

pub(in crate::cli) fn run(command: &StoreCommand, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let results = location.results()?;
    match command {
        #[cfg(feature = "store")]
        StoreCommand::Database(command) => verify::run(command, results, ui),
        StoreCommand::Prune(args) => prune::run(args, results, ui),
        StoreCommand::Backup(args) => backup::backup(args, results, ui),
        StoreCommand::Restore(args) => backup::restore(args, results, ui),
        StoreCommand::Import(args) => import::run(args, results, ui),
        StoreCommand::Export(args) => export::run(args, location, ui),
        StoreCommand::Merge(args) => backup::merge(args, results, ui),
    }
}
