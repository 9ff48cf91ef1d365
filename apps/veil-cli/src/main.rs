//! The `veilcast` command: the composition root of the studio.
//!
//! Reads the environment, the clock and the command line, and hands them down; everything else is
//! in the crates below. Exit codes: 0 done, 1 failed, 2 usage.

mod args;
mod commands;
mod error;
mod flow;
mod output;
mod progress;
mod sealed;
mod stores;
mod stress;
mod turns;
mod watching;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use jiff::Timestamp;
use veil_studio::Studio;

use crate::args::{Cli, Command};
use crate::error::CliError;
use crate::output::Format;
use crate::watching::link::Link;

fn main() -> ExitCode {
    veil_ffmpeg::sandbox::enter_if_asked();
    let cli = Cli::parse();
    let format = if cli.json { Format::Json } else { Format::Text };
    match start(cli, format) {
        Ok(code) => code,
        Err(error) => {
            format.failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli, format: Format) -> Result<ExitCode, CliError> {
    if let Command::Completions { shell } = cli.command {
        let mut command = Cli::command();
        clap_complete::generate(shell, &mut command, "veilcast", &mut std::io::stdout());
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(result) = offline(&cli.command, format) {
        return result.map(|()| ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new(format!("cannot start: {error}")))?;
    runtime.block_on(run(cli, format))
}

/// Runs the commands that need neither data folder nor runtime; `None` for the others.
fn offline(command: &Command, format: Format) -> Option<Result<(), CliError>> {
    Some(match command {
        Command::Identity(command) => commands::identity::run(command, format, Timestamp::now()),
        Command::Seal(args) => commands::seal::run(args, format),
        Command::Open(args) if Link::of_args(args).is_none() => commands::open::run(args, format),
        Command::Inspect(args) => commands::inspect::run(args, format),
        Command::Recipients(command) => commands::recipients::run(command, format),
        Command::Rekey(args) => commands::rekey::run(args, format),
        Command::Gateway { args } => commands::gateway::run(args),
        Command::Sign(args) => commands::sign::run(args, format, Timestamp::now()),
        Command::Token(args) => commands::token::run(args, format, Timestamp::now()),
        Command::Watch(command) => commands::watch::run(command, format),
        _ => return None,
    })
}

/// Runs the commands that need a runtime, and no data folder; `None` for the others.
async fn on_video(cli: &Cli, format: Format) -> Option<Result<(), CliError>> {
    let data = cli.data.as_deref();
    Some(match &cli.command {
        Command::Open(args) => commands::copy::run(args, format).await,
        Command::Hide(args) => commands::hide::run(args, data, format).await,
        Command::Reveal(args) => commands::reveal::run(args, data, format).await,
        Command::Capacity(args) => commands::capacity::run(args, format).await,
        Command::Make(args) => commands::make::run(args, data, format).await,
        Command::Stress(args) => commands::stress::run_stress(args, data, format).await,
        _ => return None,
    })
}

async fn run(cli: Cli, format: Format) -> Result<ExitCode, CliError> {
    if let Some(result) = on_video(&cli, format).await {
        return result.map(|()| ExitCode::SUCCESS);
    }
    let root = match cli.data {
        Some(root) => root,
        None => default_data()?,
    };
    if let Command::Doctor = cli.command {
        let healthy =
            commands::doctor::run(&root, stores::access(cli.store_patience), format).await;
        return Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let studio = Studio::open(&root).await?;
    let studio = studio.with_access(stores::access(cli.store_patience));
    if let Command::Studio(args) = &cli.command {
        let studio = if cli.no_key_cache { studio.without_key_cache() } else { studio };
        return commands::studio::run(studio, args, format).await.map(|()| ExitCode::SUCCESS);
    }
    let studio = studio.acting_as("cli");
    let studio = if cli.no_key_cache { studio.without_key_cache() } else { studio };
    let now = Timestamp::now();
    let result = match cli.command {
        Command::Jobs(command) => {
            return commands::jobs::run(studio, command, format).await.map(|()| ExitCode::SUCCESS);
        }
        Command::Worker(args) => {
            let worked = commands::worker::run(studio, &args, &root, format).await;
            return worked.map(|()| ExitCode::SUCCESS);
        }
        Command::Up(args) => commands::up::run(&studio, &args, format).await,
        Command::Import(args) => commands::import::run(&studio, &args, format, now).await,
        Command::List => commands::list::run(&studio, format, now).await,
        Command::Publish(args) => commands::relocate::publish(&studio, &args, format, now).await,
        Command::Move(args) => commands::relocate::move_to(&studio, &args, format, now).await,
        Command::Unpublish { title, from } => {
            commands::relocate::unpublish(&studio, &title, &from, format).await
        }
        Command::Trace(args) => commands::trace::run(&studio, &args, &root, format, now).await,
        Command::Audit(args) => commands::audit::run(&studio, &args, format).await,
        Command::Share(args) => commands::share::run(&studio, &args, format, now).await,
        Command::Revoke { grant } => commands::revoke::run(&studio, &grant, format, now).await,
        Command::Remove { title, yes } => {
            commands::remove::run(&studio, &title, yes, format, now).await
        }
        _ => Ok(()),
    };
    studio.close().await;
    result.map(|()| ExitCode::SUCCESS)
}

/// The platform's data folder for Veilcast, for example `~/.local/share/veilcast`.
fn default_data() -> Result<PathBuf, CliError> {
    use etcetera::BaseStrategy as _;
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        CliError::new(format!("cannot find a data folder: {error}"))
            .hint("name one with --data or VEILCAST_DATA")
    })?;
    Ok(strategy.data_dir().join("veilcast"))
}
