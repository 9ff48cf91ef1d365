//! The command line of runs that share a machine.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

/// Taking turns with other runs.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sharing the machine")]
pub(crate) struct TurnArgs {
    /// Fail where other runs come first, instead of waiting for them
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) budget: BudgetArgs,
}

/// What runs on this machine share.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sharing the machine")]
pub(crate) struct BudgetArgs {
    /// Memory for all runs on this machine together, such as 800M or 6G [default: half of what there is]
    #[arg(long, value_name = "BYTES", env = "VEILCAST_MEMORY_BUDGET", value_parser = bytes)]
    pub(crate) memory_budget: Option<u64>,
    /// Threads for all runs on this machine together [default: one a processor]
    #[arg(long, value_name = "N", env = "VEILCAST_CORE_BUDGET")]
    pub(crate) core_budget: Option<NonZeroU32>,
    /// The folder in which runs line up [default: $XDG_RUNTIME_DIR/veilcast/turns, or `turns` in the data folder]
    #[arg(long, value_name = "DIR", env = "VEILCAST_BUDGET_DIR")]
    pub(crate) budget_dir: Option<PathBuf>,
}

/// A number of bytes, alone or in thousands (`k`), millions (`M`), thousand millions (`G`).
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" | "B" => 1,
        "k" | "kB" => 1000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        _ => 0,
    };
    let count = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(factor));
    count.filter(|bytes| *bytes > 0).ok_or_else(|| "a size such as 800M or 6G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(bytes("800M"), Ok(800_000_000));
        assert_eq!((bytes("6GB"), bytes("12")), (Ok(6_000_000_000), Ok(12)));
        for wrong in ["", "0", "M", "1.5G", "5T", "-1", "99999999999999G", "1é"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
