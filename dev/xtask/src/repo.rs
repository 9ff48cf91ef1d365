//! The repository and the programs that work on it: where it lies, and commands that run in it.
//!
//! Nothing here waits for more than one program at a time, and nothing reads the current directory.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{During, Outcome, fail};

/// Names the Chromium that browser tests start.
pub(crate) const CHROMIUM_VARIABLE: &str = "VEILCAST_CHROMIUM";

/// Names under which distributions install Chromium, the usual first.
const CHROMIUM_NAMES: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Where the repository lies and which programs it uses.
pub(crate) struct Repo {
    /// Root folder of the workspace.
    pub(crate) root: PathBuf,
    /// Cargo's output folder.
    pub(crate) target: PathBuf,
}

impl Repo {
    /// Finds the repository that this program was built from.
    pub(crate) fn here() -> Self {
        let profile_dir = veil_testkit::profile_dir();
        let target = profile_dir.parent().unwrap_or(&profile_dir).to_owned();
        Self { root: veil_testkit::workspace_root(), target }
    }

    /// Folder of tools that set-up keeps inside `target`; searched before `PATH`.
    pub(crate) fn tools_bin(&self) -> PathBuf {
        self.target.join("tools/bin")
    }

    /// Folder of the programs that a cargo profile builds.
    pub(crate) fn bin_dir(&self, profile: &str) -> PathBuf {
        self.target.join(profile)
    }

    /// Starts a command that runs in the root, finds our tools first and has no trace of cargo's variables about
    /// xtask itself, which would make build scripts run again.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("PATH", self.search_path());
        for (name, _) in std::env::vars_os() {
            if describes_xtask(&name) {
                command.env_remove(name);
            }
        }
        if let Some(chromium) = self.chromium() {
            command.env(CHROMIUM_VARIABLE, chromium);
        }
        command
    }

    /// Starts a cargo command with these words.
    pub(crate) fn cargo<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command(cargo_program());
        command.args(words);
        command
    }

    /// Starts an npm command with these words.
    pub(crate) fn npm<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command("npm");
        command.args(words).env("NO_UPDATE_NOTIFIER", "1");
        command
    }

    /// Finds a program in our tools or in `PATH`.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.search_path())
            .map(|dir| dir.join(program))
            .find(|path| is_executable(path))
    }

    /// Finds Chromium: the one that `VEILCAST_CHROMIUM` names, else by its usual names.
    pub(crate) fn chromium(&self) -> Option<PathBuf> {
        match std::env::var_os(CHROMIUM_VARIABLE) {
            Some(named) => Some(PathBuf::from(named)).filter(|path| is_executable(path)),
            None => CHROMIUM_NAMES.iter().find_map(|name| self.find(name)),
        }
    }

    fn search_path(&self) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(self.tools_bin()).chain(std::env::split_paths(&path));
        std::env::join_paths(dirs).unwrap_or(path)
    }
}

/// The cargo that runs us, so that a toolchain given by `+name` holds for everything.
pub(crate) fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs a command to its end with our own input and outputs.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let line = line_of(command);
    let status = command.status().during(format_args!("starting `{line}`"))?;
    if status.success() { Ok(()) } else { Err(fail(format!("`{line}` ended with {status}"))) }
}

/// Runs a command to its end and returns its standard output.
pub(crate) fn output_of(command: &mut Command) -> Outcome<String> {
    let line = line_of(command);
    let output = command.stdin(Stdio::null()).output();
    let output = output.during(format_args!("starting `{line}`"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(fail(format!("`{line}` ended with {}\n{}", output.status, stderr.trim_end())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let words = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}

/// `cargo run` tells us about the package `xtask`; that is no business of a nested build.
fn describes_xtask(variable: &OsStr) -> bool {
    let variable = variable.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
        || variable == "OUT_DIR"
}

fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_named_with_its_words() {
        let error = run(Command::new("/bin/false").arg("word")).unwrap_err().to_string();
        assert_eq!(error, "`false word` ended with exit status: 1");
    }

    #[test]
    fn a_captured_failure_shows_what_the_program_wrote() {
        let mut command = Command::new("sh");
        let error = output_of(command.args(["-c", "echo why >&2; exit 4"])).unwrap_err();
        assert!(error.to_string().ends_with("exit status: 4\nwhy"), "{error}");
    }

    #[test]
    fn our_tools_are_found_before_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo { root: dir.path().into(), target: dir.path().into() };
        std::fs::create_dir_all(repo.tools_bin()).unwrap();
        let usual = repo.find("sh").unwrap();
        let ours = repo.tools_bin().join("sh");
        std::os::unix::fs::symlink(&usual, &ours).unwrap();
        assert_eq!(repo.find("sh").unwrap(), ours);
        assert_eq!(repo.find("no-such-program"), None);
    }

    #[test]
    fn a_nested_cargo_is_told_nothing_about_xtask() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_BIN_NAME", "OUT_DIR"] {
            assert!(describes_xtask(OsStr::new(name)), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_TERM_COLOR", "PATH"] {
            assert!(!describes_xtask(OsStr::new(name)), "{name}");
        }
    }
}
