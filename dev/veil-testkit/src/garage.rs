//! Garage, a distributed S3 store, as a process of its own: strict where the store in this process is lax.
//!
//! Only the full run has it (`cargo xtask test --full` builds it once): a test asks for it and does nothing where it is not
//! named. It holds URLs to the seven days, the region and the date that SigV4 has.

use std::fs;
use std::io::{self, Error};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::spawn::Spawned;

/// The variable that names Garage's program.
pub const GARAGE_VARIABLE: &str = "VEILCAST_GARAGE";

const ACCESS_KEY_ID: &str = "GK0123456789abcdef01234567";
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const RPC_SECRET: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const REGION: &str = "garage";
const BUCKET: &str = "videos";

/// How long it may take to answer its first connection.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How often a port is taken by somebody else in the moment before Garage has it, at most.
const ATTEMPTS: usize = 5;

/// A running Garage with one bucket; dropping it ends it and deletes its objects.
pub struct Garage {
    // Dropped in this order: first the process, then its folder.
    _process: Spawned,
    port: u16,
    _folder: TempDir,
}

impl Garage {
    /// Starts a Garage of its own, if [`GARAGE_VARIABLE`] names its program.
    ///
    /// # Errors
    /// A program that is named and doesn't start or answer.
    pub fn start() -> io::Result<Option<Self>> {
        let Some(program) = std::env::var_os(GARAGE_VARIABLE).map(PathBuf::from) else {
            return Ok(None);
        };
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match Self::try_start(&program) {
                Ok(garage) => return Ok(Some(garage)),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::other("Garage was not started")))
    }

    fn try_start(program: &Path) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let [api, rpc, admin] = free_ports()?;
        let config = folder.path().join("garage.toml");
        fs::write(&config, configuration(folder.path(), api, rpc, admin))?;
        let mut command = Command::new(program);
        command.arg("-c").arg(&config).args(["server", "--single-node", "--default-bucket"]);
        command.env("GARAGE_DEFAULT_ACCESS_KEY", ACCESS_KEY_ID);
        command.env("GARAGE_DEFAULT_SECRET_KEY", SECRET);
        command.env("GARAGE_DEFAULT_BUCKET", BUCKET);
        // At its usual level it logs URLs with their signatures.
        command.env("RUST_LOG", "garage=warn");
        let mut process = Spawned::start(&mut command)?;
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, api)).is_err() {
            if started.elapsed() > START_LIMIT {
                return Err(Error::other(format!("Garage does not answer: {}", process.stderr())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { _process: process, port: api, _folder: folder })
    }

    /// The text that names the store and its bucket.
    #[must_use]
    pub fn url_below(&self, prefix: &str) -> String {
        let slash = if prefix.is_empty() { "" } else { "/" };
        format!("s3://{BUCKET}{slash}{prefix}?endpoint={}&region={REGION}", self.endpoint())
    }

    /// The variables that give a program this store's credential, and no other way to one.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, &'static str); 5] {
        [
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.host())
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The region, the only one that it takes.
    #[must_use]
    pub fn region(&self) -> &'static str {
        REGION
    }

    /// The name of the bucket.
    #[must_use]
    pub fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// The id of the store's credential.
    #[must_use]
    pub fn access_key_id(&self) -> &'static str {
        ACCESS_KEY_ID
    }

    /// The secret of the store's credential.
    #[must_use]
    pub fn secret(&self) -> &'static str {
        SECRET
    }
}

fn configuration(folder: &Path, api: u16, rpc: u16, admin: u16) -> String {
    let folder = folder.display();
    format!(
        "metadata_dir = \"{folder}/meta\"\ndata_dir = \"{folder}/data\"\ndb_engine = \"sqlite\"\n\
         replication_factor = 1\nrpc_bind_addr = \"127.0.0.1:{rpc}\"\n\
         rpc_public_addr = \"127.0.0.1:{rpc}\"\nrpc_secret = \"{RPC_SECRET}\"\n\n\
         [s3_api]\ns3_region = \"{REGION}\"\napi_bind_addr = \"127.0.0.1:{api}\"\n\
         root_domain = \".s3.garage.localhost\"\n\n[admin]\napi_bind_addr = \"127.0.0.1:{admin}\"\n"
    )
}

/// Three ports that were free a moment ago, all different.
fn free_ports() -> io::Result<[u16; 3]> {
    let listeners = [0; 3].map(|_: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|l| l.local_addr().map(|a| (l, a.port())))
    });
    let [a, b, c] = listeners;
    let (a, b, c) = (a?, b?, c?);
    Ok([a.1, b.1, c.1])
}
