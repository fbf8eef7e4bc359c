//! The runner and its settings.

use std::collections::HashSet;
use std::sync::Arc;

use super::compare::{
    ColumnTypeValidator, Normalizer, Validator, default_column_validator, default_normalizer,
    default_validator,
};
use super::database::AsyncDB;
use super::partitioner::{Partitioner, default_partitioner};
use super::variables::RunnerVariables;
use crate::connection::{Connections, MakeConnection};
use crate::parser::{ResultMode, SortMode};

/// Executes test files on a database.
pub struct Runner<D: AsyncDB, M: MakeConnection<Conn = D>> {
    pub(super) connections: Connections<D, M>,
    pub(super) rules: Rules<D::ColumnType>,
    pub(super) partitioner: Arc<dyn Partitioner>,
    pub(super) variables: RunnerVariables,
    /// Whether variables are substituted.
    pub(super) substitutes: bool,
    /// The sort mode of queries that have none.
    pub(super) sort_mode: Option<SortMode>,
    /// The layout of results that name none.
    pub(super) result_mode: Option<ResultMode>,
}

/// How results are judged.
#[derive(Clone)]
pub(super) struct Rules<T> {
    pub normalizer: Normalizer,
    pub validator: Validator,
    pub column_validator: ColumnTypeValidator<T>,
    /// The number of values above which a result is hashed; 0 means never.
    pub hash_threshold: usize,
    /// The labels of conditions, besides the name of the engine.
    pub labels: HashSet<String>,
}

impl<D: AsyncDB, M: MakeConnection<Conn = D>> Runner<D, M> {
    /// Makes a runner that opens its connections with `make_conn`.
    pub fn new(make_conn: M) -> Self {
        Self {
            connections: Connections::new(make_conn),
            rules: Rules {
                normalizer: default_normalizer,
                validator: default_validator,
                column_validator: default_column_validator,
                hash_threshold: 0,
                labels: HashSet::new(),
            },
            partitioner: Arc::new(default_partitioner),
            variables: RunnerVariables::default(),
            substitutes: false,
            sort_mode: None,
            result_mode: None,
        }
    }

    /// Adds a label that `skipif` and `onlyif` can name.
    pub fn add_label(&mut self, label: &str) {
        self.rules.labels.insert(label.to_owned());
    }

    /// Sets a variable for substitution.
    pub fn set_var(&mut self, key: String, value: String) {
        self.variables.set(key, value);
    }

    /// Sets how values are made comparable.
    pub fn with_normalizer(&mut self, normalizer: Normalizer) {
        self.rules.normalizer = normalizer;
    }

    /// Sets how results are compared.
    pub fn with_validator(&mut self, validator: Validator) {
        self.rules.validator = validator;
    }

    /// Sets how the types of columns are compared.
    pub fn with_column_validator(&mut self, validator: ColumnTypeValidator<D::ColumnType>) {
        self.rules.column_validator = validator;
    }

    /// Sets which files a parallel run takes.
    pub fn with_partitioner(&mut self, partitioner: impl Partitioner + 'static) {
        self.partitioner = Arc::new(partitioner);
    }

    /// Sets the number of values above which a result is hashed, until a file sets another one; 0 means never.
    pub fn with_hash_threshold(&mut self, hash_threshold: usize) {
        self.rules.hash_threshold = hash_threshold;
    }

    /// Shuts all connections down.
    pub async fn shutdown_async(&mut self) {
        self.connections.shutdown().await;
    }

    /// Shuts all connections down.
    pub fn shutdown(&mut self) {
        futures_executor::block_on(self.shutdown_async());
    }
}
