//! What a gateway is put together from, read as the configuration says.
//!
//! Owns one function a part, with its errors and hints, so that running and `--check-config` read the
//! same. Refuses to listen.

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;

use axum::http::Uri;
use veil_gateway::{Config, Hosts, PageFiles};

use crate::Failure;
use crate::args::Args;
use crate::certificate;

/// Largest configuration file, in bytes: the documented one with all its prose takes 10 KB.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Reads the configuration file, if one is named, and the flags over it.
pub(crate) fn config(args: &Args) -> Result<Config, Failure> {
    let mut config = match &args.config {
        None => Config::default(),
        Some(path) => Config::from_toml(&config_text(path)?).map_err(|error| {
            Failure::new(format!("the configuration {}: {error}", path.display()), error.hint)
        })?,
    };
    args.override_in(&mut config);
    Ok(config)
}

fn config_text(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let unreadable = |error| {
        let hint = "name a file that this user may read with --config";
        Failure::new(format!("the configuration {shown} cannot be read: {error}"), hint)
    };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > CONFIG_BYTES_MAX {
        let hint = "docs/operations/gateway.toml shows its form";
        return Err(Failure::new(format!("the configuration {shown} is larger than 1 MiB"), hint));
    }
    Ok(text)
}

pub(crate) fn page(config: &Config) -> Result<PageFiles, Failure> {
    match &config.page {
        None => Ok(PageFiles::embedded()),
        Some(folder) => PageFiles::folder(folder)
            .map_err(|error| Failure::new(error, "name the folder that `npm run build` wrote")),
    }
}

/// The hosts to answer for. Beyond loopback the gateway must be told its names, or it could not tell
/// its own visitors from those of a page that rebinds its name to this address.
pub(crate) fn hosts(address: SocketAddr, config: &Config) -> Result<Hosts, Failure> {
    let mut hosts = Hosts::listening_on(address);
    for url in &config.public_urls {
        hosts.add_public_url(url).map_err(|error| {
            let hint = "write it as https://videos.example.org";
            Failure::new(format!("--public-url {url}: {error}"), hint)
        })?;
    }
    if hosts.is_empty() {
        let error =
            format!("{address} is reachable from other machines, and no --public-url is set");
        let hint = "add --public-url https://videos.example.org, or listen on 127.0.0.1";
        return Err(Failure::new(error, hint));
    }
    Ok(hosts)
}

/// Public URLs whose visitors' bearers travel in clear, and whose pages can't decrypt.
pub(crate) fn is_in_clear(config: &Config) -> bool {
    let is_http = config.public_urls.iter().any(|url| url.starts_with("http://"));
    is_http && !config.listen.ip().is_loopback()
}

/// Reads the certificate, and says what it is good for.
pub(crate) fn tls(config: &Config) -> Result<String, Failure> {
    let Some(files) = certificate::Files::of(config) else {
        return Ok("none: HTTP in clear, for a proxy that has a certificate".to_owned());
    };
    let certificate = certificate::in_force(files.read()?)?;
    let urls = config.public_urls.iter().filter_map(|url| url.parse::<Uri>().ok());
    for url in urls.filter(|url| url.scheme_str() == Some("https")) {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        if !certificate.names(host) {
            let hint = "get a certificate that names it, or serve it by a proxy that has one";
            return Err(Failure::new(format!("the certificate is not one for {host}"), hint));
        }
    }
    Ok(format!("certificate until {}", certificate.ends))
}
