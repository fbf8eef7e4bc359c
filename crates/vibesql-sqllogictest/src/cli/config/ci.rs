//! Variables of common CIs: the shard of a job, and the identifier of the CI run.

use std::path::PathBuf;

use super::environment::EnvironmentVariables;
use crate::cli::error::CliError;
use slt_runner::parallel::Shard;
use slt_runner::results::CiRun;

/// The variables of a CI for the number of a parallel job and the total number of jobs.
struct CiSystem {
    name: &'static str,
    /// The number of the first job.
    first: u64,
    index: &'static str,
    count: &'static str,
    /// A variable that must be set, if another CI uses the same names differently.
    only_if: Option<&'static str>,
}

const fn system(name: &'static str, first: u64, index: &'static str, count: &'static str) -> CiSystem {
    CiSystem { name, first, index, count, only_if: None }
}

const SYSTEMS: &[CiSystem] = &[
    // Uses the variables of GitLab, but counts from 0.
    CiSystem { only_if: Some("HEROKU_TEST_RUN_ID"), ..system("Heroku", 0, "CI_NODE_INDEX", "CI_NODE_TOTAL") },
    system("GitLab", 1, "CI_NODE_INDEX", "CI_NODE_TOTAL"),
    system("CircleCI", 0, "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"),
    system("Buildkite", 0, "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT"),
    system("Semaphore", 1, "SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT"),
    system("Bitbucket", 0, "BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT"),
    system("Azure", 1, "SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE"),
];

/// The name that the shards of one run share, and the attempt of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct GroupSettings {
    pub(in crate::cli) name: String,
    /// A number that grows when a job is repeated; 0 if unknown.
    pub(in crate::cli) attempt: u64,
}

/// The variables of a CI for its run.
struct CiRunVariables {
    id: &'static str,
    url: &'static str,
    /// The identifier that all jobs of the run share, if `id` is that of a job.
    group: &'static str,
    /// As in [`GroupSettings`].
    attempt: &'static str,
}

const fn run(id: &'static str, url: &'static str) -> CiRunVariables {
    CiRunVariables { id, url, group: "", attempt: "" }
}

const RUNS: &[CiRunVariables] = &[
    // Its URL is made of several variables.
    CiRunVariables { attempt: "GITHUB_RUN_ATTEMPT", ..run("GITHUB_RUN_ID", "") },
    // GitLab has no number of the attempt, but a repeated job has a higher identifier.
    CiRunVariables { attempt: "CI_JOB_ID", ..run("CI_PIPELINE_ID", "CI_JOB_URL") },
    CiRunVariables { attempt: "BUILDKITE_RETRY_COUNT", ..run("BUILDKITE_BUILD_ID", "BUILDKITE_BUILD_URL") },
    CiRunVariables { group: "CIRCLE_WORKFLOW_ID", ..run("CIRCLE_BUILD_NUM", "CIRCLE_BUILD_URL") },
    run("SEMAPHORE_WORKFLOW_ID", ""),
    run("BITBUCKET_BUILD_NUMBER", ""),
    CiRunVariables { attempt: "SYSTEM_JOBATTEMPT", ..run("BUILD_BUILDID", "") },
    run("BUILD_TAG", "BUILD_URL"),
];

impl EnvironmentVariables {
    /// Returns the CI run that this process is part of.
    pub(in crate::cli) fn ci_run(&self) -> Option<CiRun> {
        let (variables, id) = self.variables_of_ci()?;
        let repository = self.non_empty("GITHUB_SERVER_URL").zip(self.non_empty("GITHUB_REPOSITORY"));
        let repository = repository.filter(|_| variables.id == "GITHUB_RUN_ID");
        let url = repository.map(|(server, name)| format!("{server}/{name}/actions/runs/{id}"));
        Some(CiRun { url: url.or_else(|| self.non_empty(variables.url)), id })
    }

    /// Returns the group of the shards of a CI run, and the attempt of this job.
    pub(in crate::cli) fn group_of_ci(&self) -> Option<GroupSettings> {
        let (variables, id) = self.variables_of_ci()?;
        let attempt = self.non_empty(variables.attempt).and_then(|attempt| attempt.parse::<u64>().ok());
        // Some count from 0, which stands for an unknown attempt.
        let attempt = attempt.map_or(0, |attempt| attempt.saturating_add(1));
        Some(GroupSettings { name: self.non_empty(variables.group).unwrap_or(id), attempt })
    }

    fn variables_of_ci(&self) -> Option<(&'static CiRunVariables, String)> {
        RUNS.iter().find_map(|variables| Some((variables, self.non_empty(variables.id)?)))
    }

    /// Returns the file for the summary of this step of GitHub Actions.
    pub(in crate::cli) fn step_summary(&self) -> Option<PathBuf> {
        self.non_empty("GITHUB_STEP_SUMMARY").map(PathBuf::from)
    }

    /// Returns the folder of the repository in GitHub Actions, without links.
    pub(in crate::cli) fn workspace(&self) -> Option<PathBuf> {
        PathBuf::from(self.non_empty("GITHUB_WORKSPACE")?).canonicalize().ok()
    }

    /// Returns the shard that the variables of the CI select.
    pub(in crate::cli) fn shard_of_ci(&self) -> Result<Shard, CliError> {
        let (mut found, mut half) = (None, None);
        for system in SYSTEMS {
            if system.only_if.is_some_and(|name| self.non_empty(name).is_none()) {
                continue;
            }
            let (set, missing) = match (self.non_empty(system.index), self.non_empty(system.count)) {
                (Some(index), Some(count)) => {
                    found = found.or(Some((system, index, count)));
                    continue;
                }
                // GitLab sets only this in a job that is not parallel.
                (None, Some(count)) if count == "1" => {
                    found = found.or(Some((system, system.first.to_string(), count)));
                    continue;
                }
                (None, None) => continue,
                (Some(_), None) => (system.index, system.count),
                (None, Some(_)) => (system.count, system.index),
            };
            half = half.or(Some(format!("{set} is set, and {missing} is not")));
        }
        let Some((system, index, count)) = found else {
            let message = half.unwrap_or_else(|| "no variables of a CI are set".to_owned());
            let pairs = SYSTEMS.iter().map(|system| format!("{} and {}", system.index, system.count));
            let mut pairs: Vec<_> = pairs.collect();
            pairs.dedup();
            let hint = format!("give it as --shard K/N, or set both of a pair: {}", pairs.join("; "));
            return Err(CliError::usage(format!("--shard auto: {message}"), hint));
        };
        let numbers = index.parse::<u64>().ok().zip(count.parse::<u64>().ok());
        let shard = numbers.and_then(|(index, count)| {
            let index = index.checked_add(1)?.checked_sub(system.first)?;
            format!("{index}/{count}").parse().ok()
        });
        shard.ok_or_else(|| {
            let message = format!(
                "--shard auto: {} is `{index}` and {} is `{count}`, and {} counts from {}",
                system.index, system.count, system.name, system.first
            );
            CliError::usage(message, "give it as --shard K/N")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> EnvironmentVariables {
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn shard(variables: &[(&str, &str)]) -> Result<String, String> {
        let shard = environment(variables).shard_of_ci().map_err(|error| error.message)?;
        let (index, count) = shard.place();
        Ok(format!("{}/{count}", index + 1))
    }

    #[test]
    fn each_system_counts_in_its_way() {
        for system in SYSTEMS {
            let only_if = system.only_if.unwrap_or("X");
            for part in 0..3 {
                let index = (system.first + part).to_string();
                let found = shard(&[(system.index, &index), (system.count, "3"), (only_if, "true")]);
                assert_eq!(found, Ok(format!("{}/3", part + 1)), "{}", system.name);
            }
            let past = (system.first + 3).to_string();
            assert!(shard(&[(system.index, &past), (system.count, "3"), (only_if, "true")]).is_err());
        }
    }

    #[test]
    fn the_run_of_a_ci_is_known() {
        let run = |variables: &[(&str, &str)]| environment(variables).ci_run().map(|run| (run.id, run.url));
        let github =
            [("GITHUB_RUN_ID", "7"), ("GITHUB_SERVER_URL", "https://g"), ("GITHUB_REPOSITORY", "a/b")];
        assert_eq!(run(&github), Some(("7".to_owned(), Some("https://g/a/b/actions/runs/7".to_owned()))));
        let gitlab = [("CI_PIPELINE_ID", "8"), ("CI_JOB_URL", "https://l/8")];
        assert_eq!(run(&gitlab), Some(("8".to_owned(), Some("https://l/8".to_owned()))));
        assert_eq!(run(&[("BITBUCKET_BUILD_NUMBER", "9")]), Some(("9".to_owned(), None)));
        assert_eq!(run(&[("CI_PIPELINE_ID", "")]), None);
    }

    #[test]
    fn the_jobs_of_a_ci_run_have_one_group() {
        let group = |variables: &[(&str, &str)]| {
            environment(variables).group_of_ci().map(|group| (group.name, group.attempt))
        };
        let named = |name: &str, attempt| Some((name.to_owned(), attempt));
        assert_eq!(group(&[("GITHUB_RUN_ID", "7"), ("GITHUB_RUN_ATTEMPT", "2")]), named("7", 3));
        assert_eq!(group(&[("CI_PIPELINE_ID", "8"), ("CI_JOB_ID", "90")]), named("8", 91));
        assert_eq!(group(&[("BUILDKITE_BUILD_ID", "b"), ("BUILDKITE_RETRY_COUNT", "0")]), named("b", 1));
        // The number of a job, which its repetition does not share.
        assert_eq!(group(&[("CIRCLE_BUILD_NUM", "4"), ("CIRCLE_WORKFLOW_ID", "w")]), named("w", 0));
        assert_eq!(group(&[("BITBUCKET_BUILD_NUMBER", "9")]), named("9", 0));
        assert_eq!(group(&[]), None);
    }

    #[test]
    fn the_variables_of_gitlab_are_enough() {
        assert_eq!(shard(&[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")]), Ok("1/2".to_owned()));
        let heroku = [("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2"), ("HEROKU_TEST_RUN_ID", "x")];
        assert_eq!(shard(&heroku), Ok("2/2".to_owned()), "it counts from 0");
        // A CI that counts nodes from 0, and is not known to: the first node reports the error.
        let error = shard(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "2")]).unwrap_err();
        let expected =
            "--shard auto: CI_NODE_INDEX is `0` and CI_NODE_TOTAL is `2`, and GitLab counts from 1";
        assert_eq!(error, expected);
        // A job that is not parallel.
        assert_eq!(shard(&[("CI_NODE_TOTAL", "1"), ("CI_NODE_INDEX", "")]), Ok("1/1".to_owned()));
        // A complete pair wins over an incomplete one.
        let two = [("CI_NODE_TOTAL", "4"), ("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "3")];
        assert_eq!(shard(&two), Ok("1/3".to_owned()));
    }

    #[test]
    fn incomplete_pairs_are_errors() {
        for (variables, expected) in [
            (&[("CIRCLE_NODE_INDEX", "1")][..], "CIRCLE_NODE_INDEX is set, and CIRCLE_NODE_TOTAL is not"),
            (&[("CI_NODE_TOTAL", "2")], "CI_NODE_TOTAL is set, and CI_NODE_INDEX is not"),
            (&[("CI_NODE_INDEX", ""), ("GITLAB_CI", "true")], "no variables of a CI are set"),
            (&[], "no variables of a CI are set"),
        ] {
            assert_eq!(shard(variables).unwrap_err(), format!("--shard auto: {expected}"));
        }
        let error = shard(&[("CIRCLE_NODE_INDEX", "two"), ("CIRCLE_NODE_TOTAL", "2")]).unwrap_err();
        assert_eq!(
            error,
            "--shard auto: CIRCLE_NODE_INDEX is `two` and CIRCLE_NODE_TOTAL is `2`, and CircleCI counts from 0"
        );
    }
}
