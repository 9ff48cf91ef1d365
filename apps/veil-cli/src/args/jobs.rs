//! The command line of jobs: `jobs` and `worker`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use veil_studio::jobs::{JobId, JobState};

use super::make::ServiceArgs;
use super::turns::BudgetArgs;

pub(crate) const JOBS_EXAMPLES: &str = "\
Examples:
  veilcast jobs list --state failed        what went wrong
  veilcast jobs show 12                    one job, with what it left
  veilcast jobs log 12                     its last lines, FFmpeg's command lines among them
  veilcast jobs drain                      end what runs, begin nothing new
  veilcast jobs drain --off
  veilcast jobs submit job.json            {\"kind\": \"import\", \"source\": \"/films/a.mov\", \"name\": \"A\"}

Jobs are worked on by `veilcast studio` and by `veilcast worker`, on this machine.";

/// What to do with jobs.
#[derive(Subcommand, Debug)]
pub(crate) enum JobsCommand {
    /// List jobs, the newest first, and what the queue is doing
    List {
        /// Only those in this state; may be given again
        #[arg(long = "state", value_name = "STATE", value_enum)]
        states: Vec<StateArg>,
        /// So many at most
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
        limit: i64,
    },
    /// Show a job
    Show(JobArgs),
    /// Print the last lines of a job's log
    Log(JobArgs),
    /// Stop a job, or keep it from being begun
    Cancel(JobArgs),
    /// Have a job wait until it is resumed; one that runs is stopped, and goes on with what its cache has
    Pause(JobArgs),
    /// Let a paused job go on
    Resume(JobArgs),
    /// Begin a failed or cancelled job again
    Retry(JobArgs),
    /// Forget a job that has ended, and delete what it left
    Forget(JobArgs),
    /// Have a job come earlier (above 0) or later (below)
    Priority {
        /// The job's number
        id: JobId,
        /// From -1000 to 1000
        #[arg(allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-1000..=1000))]
        priority: i64,
    },
    /// Begin nothing new; what runs goes on to its end
    Drain {
        /// Begin jobs again
        #[arg(long)]
        off: bool,
    },
    /// Submit a job that a JSON file describes; `-` is standard input. Its paths are absolute
    Submit {
        /// The file
        file: PathBuf,
        /// From -1000 to 1000; higher ones come first
        #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true,
            value_parser = clap::value_parser!(i64).range(-1000..=1000))]
        priority: i64,
    },
}

/// One job.
#[derive(Args, Debug)]
pub(crate) struct JobArgs {
    /// The job's number
    pub(crate) id: JobId,
}

/// A job's state.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StateArg {
    /// Until its turn comes
    Waiting,
    /// Somebody works on it
    Running,
    /// Until it is resumed
    Paused,
    /// It is being stopped
    Cancelling,
    /// What it was to make is there
    Done,
    /// It ended with an error
    Failed,
    /// It was stopped
    Cancelled,
}

impl From<StateArg> for JobState {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::Waiting => Self::Waiting,
            StateArg::Running => Self::Running,
            StateArg::Paused => Self::Paused,
            StateArg::Cancelling => Self::Cancelling,
            StateArg::Done => Self::Done,
            StateArg::Failed => Self::Failed,
            StateArg::Cancelled => Self::Cancelled,
        }
    }
}

/// `veilcast worker`.
#[derive(Args, Debug)]
pub(crate) struct WorkerArgs {
    /// Jobs that run at once
    #[arg(long, value_name = "N", default_value = "2")]
    pub(crate) slots: NonZeroUsize,
    /// End when no job waits or runs
    #[arg(long)]
    pub(crate) until_done: bool,
    /// Stop a job that has stood still for so long, such as 90s, and try it once more
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = crate::commands::worker::stall)]
    pub(crate) stall: std::time::Duration,
    #[command(flatten)]
    pub(crate) services: ServiceArgs,
    #[command(flatten)]
    pub(crate) budget: BudgetArgs,
}
