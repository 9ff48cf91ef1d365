//! The machine that runs share: how large it is, and where they line up.
//!
//! Owns: the defaults of budget and folder. Refuses to know: what is shared out, and how (`veil_studio::turns`).

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use veil_studio::hide::HideError;
use veil_studio::turns::{Patience, Resources, Turns};

use crate::args::turns::BudgetArgs;
use crate::error::CliError;

/// Where a control group says how much memory its processes may have.
const GROUPS: &str = "/sys/fs/cgroup";

/// Where runs line up, and what they share.
pub(crate) fn open(
    args: &BudgetArgs,
    no_wait: bool,
    data: Option<&Path>,
) -> Result<Turns, CliError> {
    let folder = match &args.budget_dir {
        Some(folder) => folder.clone(),
        None => default_folder(data)?,
    };
    let cores = args.core_budget.map_or_else(processors, |cores| u64::from(cores.get()));
    let budget =
        Resources { memory_bytes: args.memory_budget.unwrap_or_else(|| memory_bytes() / 2), cores };
    let patience = if no_wait { Patience::Refuse } else { Patience::Wait };
    let turns = Turns::open(&folder, budget, patience);
    Ok(turns.map_err(HideError::from)?)
}

fn default_folder(data: Option<&Path>) -> Result<PathBuf, CliError> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    if let Some(runtime) = runtime.filter(|folder| folder.is_absolute() && folder.is_dir()) {
        return Ok(runtime.join("veilcast/turns"));
    }
    let data = data.map_or_else(crate::default_data, |data| Ok(data.to_owned()))?;
    Ok(data.join("turns"))
}

fn processors() -> u64 {
    available_parallelism().map_or(1, |count| count.get() as u64)
}

/// The memory of this machine, or of the container that this process is in.
fn memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    let machine = info.totalram.saturating_mul(info.mem_unit.into());
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let groups = Path::new(own).ancestors().map(|group| Path::new(GROUPS).join(group));
    let limits = groups.filter_map(|group| fs::read_to_string(group.join("memory.max")).ok());
    let limits = limits.filter_map(|limit| limit.trim().parse().ok());
    limits.fold(machine, u64::min)
}
