//! `--check-config`: everything that a start reads, and nothing that it does.
//!
//! Owns reading each part even when another is bad, so that one look shows all that is wrong. Shows the
//! configuration in force as a file that could be given to `--config`, and no secret: the
//! configuration holds none.

use std::io::Write as _;

use veil_gateway::Config;

use crate::store::Store;
use crate::{Failure, operator, parts, plain, store, urls};

/// Shows what would run.
pub(crate) fn run(config: &Config) -> Result<(), Failure> {
    let mut report = Report { facts: Vec::new(), failures: Vec::new() };
    let store = store::open(config);
    let s3 = store.as_ref().ok().and_then(|store| store.s3.as_ref());
    report.part("credential", urls::signers(config, s3), |signers| match signers.title_count() {
        0 => "read".to_owned(),
        count => format!("read; {count} titles have URLs of their own"),
    });
    report.part("admin token", operator::token(config), |token| {
        let words = if token.is_some() { "read" } else { "none: /performance is not there" };
        words.to_owned()
    });
    report.part("collector", operator::pusher(config, config.listen.port()), |pusher| {
        if pusher.is_some() { "set" } else { "none" }.to_owned()
    });
    report.part("watch page", parts::page(config), |page| {
        if page.is_empty() { "none: links will answer 503" } else { "there" }.to_owned()
    });
    report.part("hosts", parts::hosts(config.listen, config), ToString::to_string);
    if !config.plain.is_empty() {
        let count = config.plain.len();
        report.part("plain trees", plain::trees(config, s3), |_| format!("{count}, keys read"));
    }
    report.part("bucket", store.and_then(|store| answers(&store)), |()| "answers".to_owned());
    report.part("tls", parts::tls(config), Clone::clone);
    if parts::is_in_clear(config) {
        report.facts.push(crate::IN_CLEAR.to_owned());
    }
    report.show(config)
}

fn answers(store: &Store) -> Result<(), Failure> {
    if crate::runtime()?.block_on(store.bucket.is_reachable()) {
        return Ok(());
    }
    Err(Failure::new(
        "the bucket does not answer",
        "check its address, and that this user may read it",
    ))
}

struct Report {
    facts: Vec<String>,
    failures: Vec<Failure>,
}

impl Report {
    fn part<T>(
        &mut self,
        name: &str,
        part: Result<T, Failure>,
        describe: impl FnOnce(&T) -> String,
    ) {
        match part {
            Ok(part) => self.facts.push(format!("{name}: {}", describe(&part))),
            Err(failure) => self.failures.push(failure),
        }
    }

    /// Writes the facts, then fails with the last failure after having written the others.
    fn show(mut self, config: &Config) -> Result<(), Failure> {
        let settings = toml::to_string(config).map_err(|error| {
            Failure::new(
                format!("the configuration cannot be shown: {error}"),
                "use paths in UTF-8",
            )
        })?;
        let facts: String = self.facts.iter().map(|fact| format!("# {fact}\n")).collect();
        let last = self.failures.pop();
        let verdict = if last.is_none() { "# this would run\n" } else { "# this would not run\n" };
        let text = format!("{settings}\n{facts}{verdict}");
        let written = std::io::stdout().write_all(text.as_bytes());
        for failure in self.failures {
            failure.show();
        }
        written.map_err(|error| {
            Failure::new(format!("cannot write to standard output: {error}"), "do not close it")
        })?;
        last.map_or(Ok(()), Err)
    }
}
