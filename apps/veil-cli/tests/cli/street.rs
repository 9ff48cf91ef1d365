//! A house and an S3 store, and commands that know the store's credential.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use veil_testkit::{Finished, S3Server, Spawned, files_below, run};

use crate::house::{House, LIMIT};

/// A house, a store, and its commands by the store's credential.
pub(crate) struct Street {
    pub(crate) house: House,
    pub(crate) server: S3Server,
}

impl Street {
    /// One title in the house's own bucket, in more objects than a short clip has.
    pub(crate) fn new() -> Self {
        let street = Self { house: House::with_title("Film"), server: S3Server::start().unwrap() };
        for number in 0..60_u8 {
            let object = street.title_folder().join(format!("{number:032x}"));
            fs::write(object, vec![number; 20_000 + usize::from(number)]).unwrap();
        }
        street
    }

    /// Adds an object of so many MiB and a little to the title in the house's own bucket, named `ff…`.
    pub(crate) fn add_large_object(&self, mebibytes: u32) -> PathBuf {
        let path = self.title_folder().join("f".repeat(32));
        write_large_object(&path, mebibytes);
        path
    }

    /// The folder of the only title in the house's own bucket.
    pub(crate) fn title_folder(&self) -> PathBuf {
        self.house.bucket().join("t").join(self.id())
    }

    pub(crate) fn id(&self) -> String {
        self.house.titles()[0]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn run(&self, line: &str) -> Finished {
        run(&mut self.command(line), LIMIT).unwrap()
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        command(&self.house, &self.server.variables(), line)
    }

    pub(crate) fn ok(&self, line: &str) -> Value {
        serde_json::from_str(&self.run(line).success().unwrap().text()).unwrap()
    }

    pub(crate) fn fails(&self, line: &str) -> String {
        let finished = self.run(line);
        assert_eq!(finished.status.code(), Some(1), "{line}: {}", finished.stderr);
        finished.stderr
    }

    pub(crate) fn start(&self, line: &str) -> Spawned {
        Spawned::start(&mut self.command(line)).unwrap()
    }

    /// The places of the only title, each with its state.
    pub(crate) fn places(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let stores = self.house.titles()[0]["stores"].as_array().unwrap().clone();
        stores.iter().map(|one| (text(&one["store"]), text(&one["state"]))).collect()
    }
}

/// Writes a file of so many MiB and a little, no two of which are the same.
pub(crate) fn write_large_object(path: &Path, mebibytes: u32) {
    let mut file = fs::File::create(path).unwrap();
    let block: Vec<u8> =
        (0..1 << 20).map(|at: u32| at.to_le_bytes()[1] ^ at.to_le_bytes()[2]).collect();
    for number in 0..mebibytes {
        file.write_all(&number.to_le_bytes()).unwrap();
        file.write_all(&block).unwrap();
    }
}

/// A command that knows a store's credential.
pub(crate) fn command(house: &House, credential: &[(&str, &str)], line: &str) -> Command {
    let mut command = house.command(line.split_whitespace());
    command.envs(credential.iter().copied()).env("VEILCAST_STORE_PATIENCE", "20s");
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}

/// Every file below a folder, by its path there.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = files_below(folder).unwrap();
    let inside = |file: &PathBuf| file.strip_prefix(folder).unwrap().to_owned();
    files.iter().map(|file| (inside(file), fs::read(file).unwrap())).collect()
}

/// Waits until so many objects of titles lie in a bucket's folder, while a command runs.
pub(crate) fn wait_for_objects(command: &mut Spawned, folder: &Path, count: usize) {
    let deadline = Instant::now() + LIMIT;
    while files_below(&folder.join("t")).unwrap().len() < count {
        assert!(command.try_wait().unwrap().is_none(), "it ended: {}", command.stderr());
        assert!(Instant::now() < deadline, "too few objects: {}", command.stderr());
        sleep(Duration::from_millis(5));
    }
}
