//! Where rows come from: the one place that knows how results are loaded.

use crate::results::ResultsFolder;
use crate::results::store::{Extract, Wanted, Window};

/// Loads what a question needs.
pub trait Source {
    /// The rows of these columns over a part of the history; `engine` is the one whose files `test_files` tells of, and
    /// without it that of the last run.
    ///
    /// # Errors
    ///
    /// Why the results cannot be read, in words.
    fn load(&self, wanted: &[Wanted], window: Window, engine: Option<&str>) -> Result<Extract, String>;
}

/// The results of a folder.
#[derive(Debug, Clone)]
pub struct Results(pub ResultsFolder);

impl Source for Results {
    fn load(&self, wanted: &[Wanted], _window: Window, _engine: Option<&str>) -> Result<Extract, String> {
        // THE SEAM: the loader of the store belongs here.
        let empty =
            |wanted: &Wanted| crate::results::store::Loaded { wanted: wanted.clone(), rows: Vec::new() };
        Ok(Extract { tables: wanted.iter().map(empty).collect(), ..Extract::default() })
    }
}

/// Rows that are at hand.
#[derive(Debug, Clone, Default)]
pub struct Given(pub Extract);

impl Source for Given {
    fn load(&self, wanted: &[Wanted], _window: Window, _engine: Option<&str>) -> Result<Extract, String> {
        let tables = wanted.iter().map(|wanted| self.table(wanted)).collect();
        Ok(Extract { tables, ..self.0.clone() })
    }
}

impl Given {
    fn table(&self, wanted: &Wanted) -> crate::results::store::Loaded {
        let found = self.0.tables.iter().find(|loaded| loaded.wanted.table == wanted.table);
        let rows = found.map_or_else(Vec::new, |loaded| {
            let places: Vec<_> = wanted
                .columns
                .iter()
                .map(|column| loaded.wanted.columns.iter().position(|known| known == column))
                .collect();
            let cell = |row: &[crate::results::store::Cell], place: Option<usize>| {
                place.map_or(crate::results::store::Cell::Null, |place| row[place].clone())
            };
            loaded.rows.iter().map(|row| places.iter().map(|place| cell(row, *place)).collect()).collect()
        });
        crate::results::store::Loaded { wanted: wanted.clone(), rows }
    }
}
