//! Services that `make` may ask: their addresses and keys, out of the command line and the environment.

use std::path::{Path, PathBuf};

use veil_ffmpeg::produce::speak::HELPER;
use veil_studio::make::script::chat::Chat;
use veil_studio::make::service::Service;
use veil_studio::make::{MakeError, Services};
use zeroize::Zeroizing;

use crate::args::make::ServiceArgs;
use crate::error::CliError;
use crate::sealed::ask::read_secret;

/// The longest file of a key.
const KEY_BYTES_MAX: u64 = 4096;

/// What services are called.
const PIPER: &str = "the Piper server";
const OPENAI: &str = "the OpenAI-compatible service";

pub(crate) fn services(args: &ServiceArgs) -> Result<Services, CliError> {
    let piper = args.piper_url.as_deref().map(|url| Service::new(PIPER, url, None)).transpose()?;
    Ok(Services { espeak: helper(), piper, openai: openai(args)? })
}

pub(super) fn chat(args: &ServiceArgs) -> Result<Chat, CliError> {
    let service = openai(args)?.ok_or(MakeError::NotSet {
        what: "an OpenAI-compatible script",
        variable: "VEILCAST_OPENAI_URL",
    })?;
    Ok(Chat { service, model: args.openai_model.clone() })
}

fn openai(args: &ServiceArgs) -> Result<Option<Service>, CliError> {
    let Some(url) = args.openai_url.as_deref() else { return Ok(None) };
    let key = match &args.openai_key_file {
        Some(path) => {
            let bytes = read_secret(path, KEY_BYTES_MAX)?;
            let text = str::from_utf8(&bytes).map_err(|_| no_key(path))?;
            Some(Zeroizing::new(text.lines().next().unwrap_or_default().trim().to_owned()))
        }
        None => std::env::var("VEILCAST_OPENAI_KEY").ok().map(Zeroizing::new),
    };
    Ok(Some(Service::new(OPENAI, url, key)?))
}

fn no_key(path: &Path) -> CliError {
    CliError::new(format!("{} holds no key: its first line is one", path.display()))
}

/// The helper for espeak-ng: beside this program, or in `PATH`.
pub(crate) fn helper() -> Option<PathBuf> {
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(|folder| folder.join(HELPER));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let rest = std::env::split_paths(&path).map(|folder| folder.join(HELPER));
    let mut all = beside.into_iter().chain(rest);
    all.find(|path| path.is_absolute() && path.is_file())
}
