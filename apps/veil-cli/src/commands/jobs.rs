//! `veilcast jobs`: looks at jobs, and says what is to become of them.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use veil_studio::Studio;
use veil_studio::jobs::{
    Job, JobError, JobId, JobQuery, JobSettings, JobSpec, JobState, Jobs, NewJob, QueueState,
};
use zeroize::Zeroizing;

use crate::args::jobs::JobsCommand;
use crate::error::CliError;
use crate::output::{self, Format};
use crate::sealed::refusal::unreadable;

/// The longest description of a job: the document of a production, mostly.
const JOB_BYTES_MAX: u64 = 4 << 20;

/// Who submits on the command line, for the rate.
const CLIENT: &str = "command line";

pub(crate) async fn run(
    studio: Studio,
    command: JobsCommand,
    format: Format,
) -> Result<(), CliError> {
    let jobs = Jobs::open(Arc::new(studio), JobSettings::new(Timestamp::now)).await?;
    let done = carry_out(&jobs, command, format).await;
    jobs.close().await;
    done
}

async fn carry_out(jobs: &Jobs, command: JobsCommand, format: Format) -> Result<(), CliError> {
    let id = match command {
        JobsCommand::List { states, limit } => {
            let states = states.into_iter().map(JobState::from).collect();
            let found = jobs.list(JobQuery { states, after: None, limit }).await?;
            let queue = jobs.queue().await?;
            format.answer(&json!({ "jobs": found, "queue": queue }), || table(&found, &queue));
            return Ok(());
        }
        JobsCommand::Log(job) => {
            let lines = jobs.log(job.id).await?;
            format.answer(&json!({ "lines": lines }), || lines.join("\n"));
            return Ok(());
        }
        JobsCommand::Drain { off } => {
            jobs.drain(!off).await?;
            let queue = jobs.queue().await?;
            format.answer(&queue, || queue_line(&queue));
            return Ok(());
        }
        JobsCommand::Forget(job) => {
            jobs.dismiss(job.id).await?;
            format
                .answer(&json!({ "forgotten": job.id }), || format!("job {} is forgotten", job.id));
            return Ok(());
        }
        JobsCommand::Show(job) => return show(jobs, job.id, format).await,
        JobsCommand::Cancel(job) => jobs.cancel(job.id).await.map(|()| job.id)?,
        JobsCommand::Pause(job) => jobs.pause(job.id).await.map(|()| job.id)?,
        JobsCommand::Resume(job) => jobs.resume(job.id).await.map(|()| job.id)?,
        JobsCommand::Retry(job) => jobs.retry(job.id).await.map(|()| job.id)?,
        JobsCommand::Priority { id, priority } => {
            jobs.set_priority(id, priority).await.map(|()| id)?
        }
        JobsCommand::Submit { file, priority } => {
            let (spec, client) = (read(&file)?, CLIENT.to_owned());
            jobs.submit(NewJob { spec, priority, client }).await?
        }
    };
    let job = jobs.get(id).await?;
    format.answer(&job, || line(&job));
    Ok(())
}

async fn show(jobs: &Jobs, id: JobId, format: Format) -> Result<(), CliError> {
    let (job, paths) = (jobs.get(id).await?, jobs.outputs(id).await?);
    let value = json!({ "job": job, "paths": paths });
    format.answer(&value, || {
        let mut lines = vec![line(&job), format!("submitted {}", job.created_at)];
        let times = [("began", &job.started_at), ("ended", &job.ended_at)];
        for (what, time) in times {
            lines.extend(time.iter().map(|time| format!("{what} {time}")));
        }
        lines.extend(job.error.iter().map(|error| format!("error: {error}")));
        lines.extend(job.title.iter().map(|title| format!("title {title}")));
        lines.extend(paths.iter().map(|path| path.display().to_string()));
        lines.join("\n")
    });
    Ok(())
}

fn table(jobs: &[Job], queue: &QueueState) -> String {
    let lines: Vec<String> = jobs.iter().map(line).chain([queue_line(queue)]).collect();
    lines.join("\n")
}

fn line(job: &Job) -> String {
    let Job { id, kind, name, state, .. } = job;
    let mut line = format!("{id}  {}  {kind}  {name}", state.word());
    if let Some(progress) = &job.progress {
        line.push_str(&format!("  {}", progress.step));
        if let Some(percent) = (progress.done * 100).checked_div(progress.total) {
            line.push_str(&format!(" {percent}%"));
        }
        if let Some(left) = progress.eta_s {
            let left = i64::try_from(left).unwrap_or(i64::MAX).saturating_mul(1_000_000);
            line.push_str(&format!(", {} left", output::duration(left)));
        }
    }
    if job.attempts > 1 {
        line.push_str(&format!("  attempt {}", job.attempts));
    }
    line
}

fn queue_line(queue: &QueueState) -> String {
    let drained =
        if queue.drained { "; nothing new is begun: `veilcast jobs drain --off`" } else { "" };
    format!("{} run, {} wait{drained}", queue.running, queue.pending)
}

fn read(file: &Path) -> Result<JobSpec, CliError> {
    let name = file.display().to_string();
    let failed = |error: std::io::Error| unreadable(&error, &name);
    // It may hold a passphrase.
    let mut text = Zeroizing::new(String::new());
    let from: Box<dyn Read> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(File::open(file).map_err(failed)?),
    };
    from.take(JOB_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    serde_json::from_str(&text).map_err(|error| {
        CliError::new(format!("{name} is no job: {error}")).hint("`veilcast jobs --help` shows one")
    })
}

impl From<JobError> for CliError {
    fn from(error: JobError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}
