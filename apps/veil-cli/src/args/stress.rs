//! The command line of `stress`.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::turns::BudgetArgs;

pub(crate) const STRESS_EXAMPLES: &str = "\
Examples:
  veilcast stress                                          the usual: some minutes
  veilcast stress --resolutions 1440p --users 1 --minutes 10   is memory the same after ten minutes?
  veilcast stress --users 8 --core-budget 8 --memory-budget 4G    eight at once, and not one after the other";

/// A picture's size by the name that people give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resolution {
    pub(crate) name: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

const RESOLUTIONS: [Resolution; 6] = [
    Resolution { name: "360p", width: 640, height: 360 },
    Resolution { name: "480p", width: 854, height: 480 },
    Resolution { name: "720p", width: 1280, height: 720 },
    Resolution { name: "1080p", width: 1920, height: 1080 },
    Resolution { name: "1440p", width: 2560, height: 1440 },
    Resolution { name: "2160p", width: 3840, height: 2160 },
];

impl FromStr for Resolution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = RESOLUTIONS.into_iter().find(|resolution| resolution.name == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = RESOLUTIONS.iter().map(|resolution| resolution.name).collect();
            format!("one of {}", names.join(", "))
        })
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// `veilcast stress`.
#[derive(Args, Debug)]
pub(crate) struct StressArgs {
    /// Sizes of pictures, one after the other
    #[arg(
        long,
        value_name = "SIZES",
        value_delimiter = ',',
        default_value = "480p,720p,1080p,1440p"
    )]
    pub(crate) resolutions: Vec<Resolution>,
    /// How many hide and reveal at once, one number after the other
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "1,4,8",
        value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) users: Vec<u32>,
    /// Length of each clip, up to 120 minutes [default: 4 seconds, which are 100 frames]
    #[arg(long, value_parser = minutes)]
    pub(crate) minutes: Option<f64>,
    /// The folder for `report.json`, `report.md` and `chart.svg`, which are overwritten
    #[arg(short, long = "output", value_name = "DIR", default_value = "stress")]
    pub(crate) output: PathBuf,
    /// Threads of each run that hides; the bounds of memory are those of this number
    #[arg(long, value_name = "N", default_value = "2")]
    pub(crate) threads: NonZeroUsize,
    #[command(flatten)]
    pub(crate) budget: BudgetArgs,
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse::<f64>().ok().filter(|minutes| (0.01..=120.0).contains(minutes));
    minutes.ok_or_else(|| "a number of minutes from 0.01 to 120".to_owned())
}
