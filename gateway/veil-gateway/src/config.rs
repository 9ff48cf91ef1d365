//! What an operator may set: one TOML file.
//!
//! Owns the file's top level; each table is the settings of the room that it is named for. Refuses to
//! read files and the environment, and to hold a secret: secrets are named by the path of their file.
//! Every key is documented, with its default, in `docs/operations/gateway.toml`, which a test holds to
//! this.

mod error;
pub(crate) mod seconds;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub use error::ConfigError;
pub(crate) use error::in_range;

use crate::admin::AdminFiles;
use crate::bucket::StoreSettings;
use crate::cache::CacheSettings;
use crate::cors::Cors;
use crate::metrics::MetricsSettings;
use crate::names::Id;
use crate::peer::Proxies;
use crate::plain::PlainSettings;
use crate::rate::RateLimits;
use crate::serve::ServeLimits;
use crate::signer::UrlSettings;

/// Everything that a gateway process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// URLs under which viewers reach this gateway, without a path.
    pub public_urls: Vec<String>,
    /// The bucket: a local folder, or a store's URL.
    pub bucket: Option<PathBuf>,
    /// The file of the credential that signs URLs, readable by its owner alone.
    pub credentials: Option<PathBuf>,
    /// A folder with a built watch page, in place of the one in the program.
    pub page: Option<PathBuf>,
    /// The form of the log on standard error.
    pub log: LogForm,
    /// Whether lines of the log have the client's network (IPv4 /24, IPv6 /48). Default no.
    pub log_networks: bool,
    /// What clients may cost.
    pub limits: ServeLimits,
    /// The gateway's own certificate.
    pub tls: TlsFiles,
    /// Proxies that are believed.
    pub proxy: Proxies,
    /// How often somebody may ask.
    pub rate: RateLimits,
    /// Pages of other origins that may play.
    pub cors: Cors,
    /// What the operator alone may do.
    pub admin: AdminFiles,
    /// Where figures go.
    pub metrics: MetricsSettings,
    /// What is kept in memory.
    pub cache: CacheSettings,
    /// What URLs of objects are.
    pub urls: UrlSettings,
    /// Titles whose objects have other URLs.
    #[serde(rename = "title", skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<TitleUrls>,
    /// How an S3 store is asked.
    pub store: StoreSettings,
    /// HLS trees of the bucket that were never sealed.
    pub plain: Vec<PlainSettings>,
}

/// One title's URLs: an entry of `[[title]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TitleUrls {
    /// The title's id.
    pub id: String,
    /// What its objects' URLs are, in place of `[urls]`.
    pub urls: UrlSettings,
}

/// Where the gateway's own certificate lies: the table `[tls]`. Without it, HTTP in clear.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate chain, PEM, the server's own first. Default none.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM, closed to other users. Default none.
    pub key: Option<PathBuf>,
    /// How often the files are looked at for a renewal, in seconds, 1 to 86,400. Default 10.
    pub check_every_s: u32,
    /// For how long browsers come by TLS alone (`Strict-Transport-Security`), in seconds, 0 to 63,072,000. Default
    /// 31,536,000, a year; 0 takes it back.
    pub strict_transport_s: u32,
}

impl Default for TlsFiles {
    fn default() -> Self {
        Self { certificate: None, key: None, check_every_s: 10, strict_transport_s: 31_536_000 }
    }
}

impl TlsFiles {
    fn check(&self) -> Result<(), ConfigError> {
        if self.certificate.is_some() != self.key.is_some() {
            let hint = "set both, or neither to serve in clear behind a proxy";
            return Err(ConfigError::value("tls.certificate", "needs tls.key beside it", hint));
        }
        in_range("tls.check_every_s", self.check_every_s.into(), 1..=86_400)?;
        let two_years_s = 63_072_000;
        in_range("tls.strict_transport_s", self.strict_transport_s.into(), 0..=two_years_s)
    }
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)),
            public_urls: Vec::new(),
            bucket: None,
            credentials: None,
            page: None,
            log: LogForm::Text,
            log_networks: false,
            limits: ServeLimits::default(),
            tls: TlsFiles::default(),
            proxy: Proxies::default(),
            rate: RateLimits::default(),
            cors: Cors::default(),
            admin: AdminFiles::default(),
            metrics: MetricsSettings::default(),
            cache: CacheSettings::default(),
            urls: UrlSettings::default(),
            titles: Vec::new(),
            store: StoreSettings::default(),
            plain: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a configuration file's text. Keys that it lacks have their defaults.
    ///
    /// # Errors
    /// What is no TOML, an unknown key, a value of another kind, or one out of its range.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::parse(&error, text))?;
        config.check()?;
        Ok(config)
    }

    /// Checks what a type can't: that values are in their ranges and go together.
    ///
    /// # Errors
    /// The first value that isn't.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.limits.check()?;
        self.tls.check()?;
        self.rate.check()?;
        self.cors.check()?;
        self.cache.check()?;
        check_urls("urls", &self.urls)?;
        for title in &self.titles {
            if Id::parse(&title.id).is_none() {
                let hint = "a title's id is 32 lower-case hex digits; `veilcast list` shows it";
                return Err(ConfigError::value("title.id", "is none", hint));
            }
            check_urls(&format!("title {}", title.id), &title.urls)?;
        }
        self.store.check()?;
        self.metrics.otlp.check()
    }
}

fn check_urls(table: &str, urls: &UrlSettings) -> Result<(), ConfigError> {
    let hint = "docs/operations/gateway.toml shows which keys belong to which mode";
    urls.check().map_err(|error| ConfigError::value(table, &format!("is no mode: {error}"), hint))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use veil_presign::StoreUrl;

    use super::*;
    use crate::signer::UrlModeName;

    const DOCUMENTED: &str = include_str!("../../../docs/operations/gateway.toml");

    /// Keys that have no default; the page shows an example.
    const EXAMPLES: [&str; 19] = [
        "bucket",
        "credentials",
        "page",
        "tls.certificate",
        "tls.key",
        "admin.token",
        "metrics.listen",
        "metrics.otlp.endpoint",
        "metrics.otlp.headers",
        "urls.endpoint",
        "urls.bucket",
        "urls.prefix",
        "urls.region",
        "urls.credentials",
        "urls.key_pair_id",
        "urls.secret_file",
        "urls.cookie_domain",
        "plain",
        "store.signing_credentials",
    ];

    /// The page with every `#key = value` line as a setting; prose has a space after its `#`.
    fn uncommented() -> String {
        let is_setting = |rest: &&str| !rest.starts_with([' ', '#']);
        let setting =
            |line: &'static str| line.strip_prefix('#').filter(is_setting).unwrap_or(line);
        DOCUMENTED.lines().map(|line| setting(line).to_owned() + "\n").collect()
    }

    /// Every key with its value, `table.key` for those of a table.
    fn keys(value: &Value) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for (name, value) in value.as_object().unwrap() {
            match value {
                Value::Object(_) => found.extend(
                    keys(value).into_iter().map(|(key, value)| (format!("{name}.{key}"), value)),
                ),
                _ => found.push((name.clone(), value.clone())),
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    fn values(config: &Config) -> Vec<(String, Value)> {
        keys(&serde_json::to_value(config).unwrap())
    }

    #[test]
    fn the_documented_file_sets_nothing_and_shows_every_key_with_its_default() {
        let config = Config::from_toml(DOCUMENTED).unwrap();
        assert_eq!(values(&config), values(&Config::default()));

        let text = uncommented();
        let shown: toml::Table = toml::from_str(&text).unwrap();
        let shown: Vec<String> =
            keys(&serde_json::to_value(shown).unwrap()).into_iter().map(|(key, _)| key).collect();
        let known: Vec<String> =
            values(&Config::default()).into_iter().map(|(key, _)| key).collect();
        assert_eq!(shown, known);

        let without_examples = |config: &Config| {
            let mut values = values(config);
            values.retain(|(key, _)| !EXAMPLES.contains(&key.as_str()));
            values
        };
        let config: Config = toml::from_str(&text).unwrap();
        assert_eq!(without_examples(&config), without_examples(&Config::default()));
    }

    #[test]
    fn every_example_of_the_guides_is_a_configuration() {
        let guides = [
            include_str!("../../../docs/operations/s3.md"),
            include_str!("../../../docs/operations/r2.md"),
            include_str!("../../../docs/operations/garage.md"),
        ];
        for guide in guides {
            let examples: Vec<String> = guide
                .split("```toml\n")
                .skip(1)
                .map(|rest| rest.split("```").next().unwrap().to_owned())
                .collect();
            assert!(examples.len() >= 2, "a guide lost its examples");
            for example in examples {
                // In a list an example is indented.
                let text: String =
                    example.lines().map(|line| line.trim_start().to_owned() + "\n").collect();
                let config = Config::from_toml(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
                assert_ne!(config.urls.mode, UrlModeName::Local, "{text}");
                let place =
                    config.bucket.as_ref().map(|url| StoreUrl::parse(url.to_str().unwrap()));
                if let Some(place) = place {
                    assert!(matches!(place, Ok(StoreUrl::S3(_))), "{text}");
                }
            }
        }
    }

    #[track_caller]
    fn check_refused(text: &str, error: &str, hint: &str) {
        let refused = Config::from_toml(text).unwrap_err();
        assert!(refused.to_string().contains(error), "{refused}");
        assert!(refused.hint.contains(hint), "{}", refused.hint);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_key_that_was_meant() {
        check_refused("\nlisen = \"127.0.0.1:1\"", "line 2: there is no key `lisen`", "`listen`?");
        let text = "[limits]\n# more\nconnectoins = 5\n";
        check_refused(text, "line 3: there is no key `connectoins`", "did you mean `connections`?");
        check_refused("secret = 1", "line 1: there is no key `secret`", "the keys here are listen");
        check_refused("[limit]\n", "line 1: there is no key `limit`", "did you mean `limits`?");
    }

    #[test]
    fn a_value_of_another_kind_is_refused_with_its_line_and_not_quoted_whole() {
        let hint = "docs/operations/gateway.toml";
        check_refused("listen = \"nowhere\"", "line 1: invalid socket address", hint);
        check_refused("[limits]\nconnections = \"many\"", "line 2: invalid type", hint);
        check_refused("[limits]\nhead_timeout_s = -1", "line 2: invalid value", hint);
        check_refused("log = \"xml\"", "line 1: unknown variant `xml`", hint);
        check_refused("listen", "line 1: ", hint);
        let secret = "secret_access_key = 0123456789abcdef";
        let error = Config::from_toml(secret).unwrap_err();
        assert!(!format!("{error:?}").contains("0123456789abcdef"), "{error:?}");
    }

    #[test]
    fn a_value_out_of_its_range_is_refused_by_its_keys_name() {
        let check = |key: &str, value: &str| {
            let text = format!("[limits]\n{key} = {value}");
            check_refused(&text, &format!("limits.{key} is"), "from ");
        };
        for key in ["connections", "head_timeout_s", "stall_timeout_s"] {
            check(key, "0");
        }
        check("connections", "100000000");
        check("drain_timeout_s", "86400");
        check("streams_per_connection", "0");
        check("connections_per_address", "0");
        check("idle_timeout_s", "0");
        check_refused("[tls]\nkey = \"a\"", "tls.certificate needs tls.key", "set both");
        check_refused("[tls]\ncheck_every_s = 0", "tls.check_every_s is 0", "from 1");
        let text = "[tls]\nstrict_transport_s = 63072001";
        check_refused(text, "tls.strict_transport_s is 63072001", "from 0");
        check_refused("[rate]\nfailure_cost = 0", "rate.failure_cost is 0", "from 1 to 1000");
        check_refused("[rate]\nentries = 1", "rate.entries is 1", "from 1024");
        check_refused("[cors]\norigins = [\"*\"]", "cors.origins holds \"*\"", "https://www");
        check_refused("[cors]\nmax_age_s = 86401", "cors.max_age_s is 86401", "from 0");
        let text = "[proxy]\ntrusted = [\"10.0.0.0/8\", \"all\"]";
        check_refused(text, "line 2: a network is written as 10.0.0.0/8", "gateway.toml");
    }
}
