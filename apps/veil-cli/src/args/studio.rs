//! The command line of the studio's own interface, and of its audit trail.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::make::ServiceArgs;
use super::turns::BudgetArgs;

pub(crate) const STUDIO_EXAMPLES: &str = "\
Examples:
  veilcast studio                                  print the address of the studio's page
  veilcast studio --listen 0.0.0.0:8080 --public-url https://studio.example.org --password-file FILE
                                                   for others, behind a proxy that has TLS
  veilcast studio --watch ~/Recordings             what is put there comes into the library

The printed address holds a secret: whoever has it can do what you can. It is another one each time.";

/// `veilcast studio`.
#[derive(Args, Debug)]
pub(crate) struct StudioArgs {
    /// Where it listens; port 0 lets the system pick one. Other addresses than this machine's own want a password
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// The address by which others know it, when a proxy stands before it
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// A file whose first line is the password, readable for you alone
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// A folder whose files come into the library by themselves, and stay as they are; may be given again
    #[arg(long, value_name = "DIR")]
    pub(crate) watch: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) services: ServiceArgs,
    #[command(flatten)]
    pub(crate) budget: BudgetArgs,
}

pub(crate) const AUDIT_EXAMPLES: &str = "\
Examples:
  veilcast audit                      check the trail, print its last entries
  veilcast audit --json > trail.json  all of it
  veilcast audit --expect 3f0c…       fail as well when this hash, noted earlier, is not in it

A trail that was cut off at its end still holds: note the last hash elsewhere, and name it with --expect.";

/// `veilcast audit`.
#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    /// A hash that was the last one once; it has to be in the trail
    #[arg(long, value_name = "HASH")]
    pub(crate) expect: Option<String>,
    /// How many of the last entries are printed
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) last: u32,
}
