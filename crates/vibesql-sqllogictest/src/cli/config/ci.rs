//! Variables of common CIs: the shard of this job, and the name of the CI run.

use std::path::PathBuf;

use super::environment::EnvironmentVariables;
use crate::cli::error::CliError;
use slt_runner::parallel::Shard;
use slt_runner::results::CiRun;

/// The variables of a CI for the number of a parallel job and the total number of jobs.
struct CiSystem {
    name: &'static str,
    /// A variable that must be set, where another CI uses the same names in another way.
    only_if: Option<&'static str>,
    index: &'static str,
    count: &'static str,
    /// The number of the first job.
    first: u64,
}

const SYSTEMS: &[CiSystem] = &[
    // Counts the variables of GitLab from 0.
    CiSystem {
        name: "Heroku",
        only_if: Some("HEROKU_TEST_RUN_ID"),
        index: "CI_NODE_INDEX",
        count: "CI_NODE_TOTAL",
        first: 0,
    },
    CiSystem { name: "GitLab", only_if: None, index: "CI_NODE_INDEX", count: "CI_NODE_TOTAL", first: 1 },
    CiSystem {
        name: "CircleCI",
        only_if: None,
        index: "CIRCLE_NODE_INDEX",
        count: "CIRCLE_NODE_TOTAL",
        first: 0,
    },
    CiSystem {
        name: "Buildkite",
        only_if: None,
        index: "BUILDKITE_PARALLEL_JOB",
        count: "BUILDKITE_PARALLEL_JOB_COUNT",
        first: 0,
    },
    CiSystem {
        name: "Semaphore",
        only_if: None,
        index: "SEMAPHORE_JOB_INDEX",
        count: "SEMAPHORE_JOB_COUNT",
        first: 1,
    },
    CiSystem {
        name: "Bitbucket",
        only_if: None,
        index: "BITBUCKET_PARALLEL_STEP",
        count: "BITBUCKET_PARALLEL_STEP_COUNT",
        first: 0,
    },
    CiSystem {
        name: "Azure",
        only_if: None,
        index: "SYSTEM_JOBPOSITIONINPHASE",
        count: "SYSTEM_TOTALJOBSINPHASE",
        first: 1,
    },
];

/// The variables that name a run of a CI, and where it can be looked at.
const RUNS: &[(&str, &str)] = &[
    ("CI_PIPELINE_ID", "CI_JOB_URL"),
    ("BUILDKITE_BUILD_ID", "BUILDKITE_BUILD_URL"),
    ("CIRCLE_BUILD_NUM", "CIRCLE_BUILD_URL"),
    ("SEMAPHORE_WORKFLOW_ID", ""),
    ("BITBUCKET_BUILD_NUMBER", ""),
    ("BUILD_BUILDID", ""),
    ("BUILD_TAG", "BUILD_URL"),
];

/// GitHub's run, which has its address in pieces.
const GITHUB: [&str; 3] = ["GITHUB_RUN_ID", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY"];

/// The file in which a step of GitHub Actions sums itself up, and the folder of the repository.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
const WORKSPACE: &str = "GITHUB_WORKSPACE";

impl EnvironmentVariables {
    /// The run of a CI that this process is part of.
    pub(in crate::cli) fn ci_run(&self) -> Option<CiRun> {
        let value = |name: &str| Some(self.lossy(name)).filter(|value| !value.is_empty());
        let [run, server, repository] = GITHUB;
        if let Some(id) = value(run) {
            let place = value(server).zip(value(repository));
            let url = place.map(|(server, repository)| format!("{server}/{repository}/actions/runs/{id}"));
            return Some(CiRun { id, url });
        }
        RUNS.iter().find_map(|(id, url)| Some(CiRun { id: value(id)?, url: value(url) }))
    }

    /// Where this step of GitHub Actions sums itself up.
    pub(in crate::cli) fn step_summary(&self) -> Option<PathBuf> {
        Some(PathBuf::from(self.lossy(STEP_SUMMARY))).filter(|path| !path.as_os_str().is_empty())
    }

    /// Where GitHub Actions has checked the repository out, without links on the way.
    pub(in crate::cli) fn workspace(&self) -> Option<PathBuf> {
        PathBuf::from(self.lossy(WORKSPACE)).canonicalize().ok()
    }

    /// Returns the shard that the variables of the CI name.
    pub(in crate::cli) fn shard_of_ci(&self) -> Result<Shard, CliError> {
        let value = |name: &str| Some(self.lossy(name)).filter(|value| !value.is_empty());
        let systems = SYSTEMS.iter().filter(|system| system.only_if.is_none_or(|name| value(name).is_some()));
        let (mut found, mut half) = (None, None);
        for system in systems {
            match (value(system.index), value(system.count)) {
                (Some(index), Some(count)) => found = found.or(Some((system, index, count))),
                // GitLab says so of a job that is not parallel, and gives it no number.
                (None, Some(count)) if count == "1" => {
                    found = found.or(Some((system, system.first.to_string(), count)));
                }
                (None, None) => {}
                (index, _) => {
                    let (is, is_not) = if index.is_some() {
                        (system.index, system.count)
                    } else {
                        (system.count, system.index)
                    };
                    half = half.or(Some(format!("{is} is set, and {is_not} is not")));
                }
            }
        }
        let Some((system, index, count)) = found else {
            let message = half.unwrap_or_else(|| "no variables of a CI are set".to_owned());
            let pairs = SYSTEMS.iter().map(|system| format!("{} and {}", system.index, system.count));
            let mut pairs: Vec<_> = pairs.collect();
            pairs.dedup();
            let hint = format!("give it as --shard K/N, or set both of a pair: {}", pairs.join("; "));
            return Err(CliError::usage(format!("--shard auto: {message}"), vec![hint]));
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
            CliError::usage(message, vec!["give it as --shard K/N".to_owned()])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(variables: &[(&str, &str)]) -> Result<String, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let environment: EnvironmentVariables = variables.collect();
        let shard = environment.shard_of_ci().map_err(|error| error.message)?;
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
        let run = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            variables.collect::<EnvironmentVariables>().ci_run().map(|run| (run.id, run.url))
        };
        let github =
            [("GITHUB_RUN_ID", "7"), ("GITHUB_SERVER_URL", "https://g"), ("GITHUB_REPOSITORY", "a/b")];
        assert_eq!(run(&github), Some(("7".to_owned(), Some("https://g/a/b/actions/runs/7".to_owned()))));
        let gitlab = [("CI_PIPELINE_ID", "8"), ("CI_JOB_URL", "https://l/8")];
        assert_eq!(run(&gitlab), Some(("8".to_owned(), Some("https://l/8".to_owned()))));
        assert_eq!(run(&[("BITBUCKET_BUILD_NUMBER", "9")]), Some(("9".to_owned(), None)));
        assert_eq!(run(&[("CI_PIPELINE_ID", "")]), None);
    }

    #[test]
    fn the_variables_of_gitlab_are_enough() {
        assert_eq!(shard(&[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")]), Ok("1/2".to_owned()));
        let heroku = [("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2"), ("HEROKU_TEST_RUN_ID", "x")];
        assert_eq!(shard(&heroku), Ok("2/2".to_owned()), "it counts from 0");
        // Where nodes are counted from 0 and nothing says so, the first of them says that this is wrong.
        let error = shard(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "2")]).unwrap_err();
        let expected =
            "--shard auto: CI_NODE_INDEX is `0` and CI_NODE_TOTAL is `2`, and GitLab counts from 1";
        assert_eq!(error, expected);
        // A job that is not parallel.
        assert_eq!(shard(&[("CI_NODE_TOTAL", "1"), ("CI_NODE_INDEX", "")]), Ok("1/1".to_owned()));
        // One that says both wins over one that says half.
        let two = [("CI_NODE_TOTAL", "4"), ("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "3")];
        assert_eq!(shard(&two), Ok("1/3".to_owned()));
    }

    #[test]
    fn what_is_not_sure_is_not_taken() {
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
