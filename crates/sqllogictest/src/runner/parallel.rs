//! Runs files at the same time, each on a database of its own.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::database::AsyncDB;
use super::error::{ParallelTestError, RecordKind, TestError, TestErrorKind};
use super::output::AnyError;
use super::test_runner::Runner;
use super::variables::RunnerVariables;
use crate::connection::MakeConnection;
use crate::parser::{Connection, Location, ParseErrorKind};
use crate::substitution::well_known;

/// A file of a parallel run.
struct ParallelFile {
    path: PathBuf,
    host: String,
    database: String,
}

/// A parallel run without hosts.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect: expected at least one host, found none")]
struct NoHosts;

impl<D: AsyncDB, M: MakeConnection<Conn = D>> Runner<D, M> {
    /// Runs the files of a pattern, `jobs` at the same time. For each file, the default connection of this runner creates a
    /// database named after the file; the connections of the file are made with one of the hosts, in turn, and this database.
    ///
    /// # Errors
    ///
    /// When a file fails. All files are run nevertheless.
    pub async fn run_parallel_async<Fut>(
        &mut self,
        glob: &str,
        hosts: Vec<String>,
        conn_builder: fn(String, String) -> Fut,
        jobs: usize,
    ) -> Result<(), ParallelTestError>
    where
        Fut: Future<Output = D>,
    {
        let files = self
            .create_databases(glob, &hosts)
            .await
            .map_err(|error| ParallelTestError { errors: vec![error] })?;
        let runs = files.into_iter().map(|file| {
            let runner = self.runner_of(&file, conn_builder);
            run_one(runner, file.path)
        });
        let results = stream::iter(runs).buffer_unordered(jobs.max(1)).collect::<Vec<_>>().await;
        let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        if errors.is_empty() { Ok(()) } else { Err(ParallelTestError { errors }) }
    }

    /// Runs the files of a pattern, as [`run_parallel_async`](Self::run_parallel_async) does.
    ///
    /// # Errors
    ///
    /// When a file fails. All files are run nevertheless.
    pub fn run_parallel<Fut>(
        &mut self,
        glob: &str,
        hosts: Vec<String>,
        conn_builder: fn(String, String) -> Fut,
        jobs: usize,
    ) -> Result<(), ParallelTestError>
    where
        Fut: Future<Output = D>,
    {
        futures_executor::block_on(self.run_parallel_async(glob, hosts, conn_builder, jobs))
    }

    /// Creates the databases of the files that match a pattern.
    async fn create_databases(
        &mut self,
        glob: &str,
        hosts: &[String],
    ) -> Result<Vec<ParallelFile>, TestError> {
        let place = || Location::new(glob.into(), 0, None);
        let unusable = |kind| TestError::new(TestErrorKind::ParseError(kind), place());
        let paths = glob::glob(glob)
            .map_err(|error| unusable(ParseErrorKind::InvalidIncludeFile(error.to_string())))?;
        let mut files = Vec::new();
        for path in paths {
            let path = path.map_err(|error| unusable(ParseErrorKind::UnreadableFile(error.to_string())))?;
            let name = path.to_string_lossy();
            if !self.partitioner.matches(&name) {
                continue;
            }
            let database = name.replace(|c: char| !c.is_alphanumeric(), "_");
            let sql = format!("CREATE DATABASE {database};");
            let host = hosts.get(files.len() % hosts.len().max(1)).cloned();
            let created = match host {
                Some(host) => self.execute_on_default(&sql).await.map(|()| host),
                None => Err(Arc::new(NoHosts) as AnyError),
            };
            match created {
                Ok(host) => files.push(ParallelFile { path, host, database }),
                Err(err) => {
                    let kind = TestErrorKind::Fail { sql, err, kind: RecordKind::Statement };
                    return Err(TestError::new(kind, place()));
                }
            }
        }
        Ok(files)
    }

    async fn execute_on_default(&mut self, sql: &str) -> Result<(), AnyError> {
        let connection =
            self.connections.get(&Connection::Default).await.map_err(|error| Arc::new(error) as AnyError)?;
        connection.run(sql).await.map(|_| ()).map_err(|error| Arc::new(error) as AnyError)
    }

    /// Returns the runner of a file, with the settings of this one.
    fn runner_of<Fut: Future<Output = D>>(
        &self,
        file: &ParallelFile,
        conn_builder: fn(String, String) -> Fut,
    ) -> Runner<D, impl MakeConnection<Conn = D> + use<D, M, Fut>> {
        let (host, database) = (file.host.clone(), file.database.clone());
        let mut runner = Runner::new(move || {
            let connected = conn_builder(host.clone(), database.clone());
            async { Ok(connected.await) }
        });
        runner.rules = self.rules.clone();
        runner.variables = RunnerVariables::from_other(&self.variables);
        runner.set_var(well_known::DATABASE.to_owned(), file.database.clone());
        runner
    }
}

async fn run_one<D: AsyncDB>(
    mut runner: Runner<D, impl MakeConnection<Conn = D>>,
    path: PathBuf,
) -> Result<(), TestError> {
    let result = runner.run_file_async(path).await;
    runner.shutdown_async().await;
    result
}
