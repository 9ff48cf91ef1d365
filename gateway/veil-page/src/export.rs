//! The page as files for any web host, so that it need not come from the gateway.
//!
//! Owns what differs there: the page names its gateway and states its policy itself, the service worker expects that
//! page, and header files say to hosts what the gateway would say. Refuses to know where it is written. Invariant: the
//! same program and the same site give the same bytes, so a hash can be compared.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::policy::{meta_policy, page_policy};
use crate::{INDEX, LIST, Page, is_encoding, sha256};

/// The service worker, which knows the hash of every file.
const SERVICE_WORKER: &str = "sw.js";

/// After it the exported page says what it has to say about itself.
const CHARSET: &str = "<meta charset=\"utf-8\" />";

/// The name under which the page looks for its gateway; `apps/web/src/watch/link.ts` reads it.
const GATEWAY: &str = "veilcast-gateway";

/// How the header files begin, so that they are known for ours when they are written again.
const WRITTEN: &str = "# Written by `veilcast watch export`.";

/// What every answer of the host should have besides the policy, as the gateway has it.
const HEADERS: [(&str, &str); 6] = [
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ("X-Robots-Tag", "noindex, nofollow"),
];

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const REVALIDATE: &str = "no-cache";

/// Where an exported page gets its titles from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    gateway: String,
    origins: BTreeSet<String>,
}

/// A page for another host.
pub struct Exported {
    files: BTreeMap<String, Bytes>,
    hash: String,
}

/// Why a page can't be exported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotExportable {
    /// An address that is no origin.
    #[error("{0:?} is no origin")]
    Origin(String),
    /// There is no page, or it was not built by this project.
    #[error("this program was built without its watch page")]
    NoPage,
}

impl Site {
    /// A page of `gateway` whose objects come from there and from the origins `media`, each as browsers write origins:
    /// `https://video.example.org`.
    ///
    /// # Errors
    /// The first address that is no origin.
    pub fn new(gateway: &str, media: &[String]) -> Result<Self, NotExportable> {
        let origins: BTreeSet<String> = media.iter().cloned().chain([gateway.to_owned()]).collect();
        match origins.iter().find(|origin| !is_origin(origin)) {
            Some(bad) => Err(NotExportable::Origin(bad.clone())),
            None => Ok(Self { gateway: gateway.to_owned(), origins }),
        }
    }
}

/// Whether `text` is scheme, host and port and nothing else, in lower case.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:[]".contains(c);
    host.is_some_and(|host| !host.is_empty() && host.chars().all(fits))
}

impl Page {
    /// The page for a host that is no gateway.
    ///
    /// # Errors
    /// [`NotExportable::NoPage`].
    pub fn exported(&self, site: &Site) -> Result<Exported, NotExportable> {
        let plain = self.files.iter().filter(|(name, _)| !is_encoding(name));
        let mut page =
            Self { files: plain.map(|(name, bytes)| (name.clone(), bytes.clone())).collect() };
        let (index, worker) = page.addressed(site).ok_or(NotExportable::NoPage)?;
        page.files.insert(INDEX.to_owned(), index.into());
        page.files.insert(SERVICE_WORKER.to_owned(), worker.into());
        let (list, hash) = (page.list(), page.hash());
        page.files.insert(LIST.to_owned(), list.into());
        page.files.insert("_headers".to_owned(), headers_file(site).into());
        page.files.insert("nginx.conf".to_owned(), nginx_file(site).into());
        Ok(Exported { files: page.files, hash })
    }

    /// The index that names its gateway and its policy, and the service worker that expects this index.
    fn addressed(&self, site: &Site) -> Option<(String, String)> {
        let index = self.files.get(INDEX)?;
        let text = std::str::from_utf8(index).ok()?;
        let policy = meta_policy(&site.origins);
        let own = format!(
            "{CHARSET}\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\" />\n    \
             <meta name=\"{GATEWAY}\" content=\"{}\" />",
            site.gateway
        );
        let text = replaced_once(text, CHARSET, &own)?;
        let worker = std::str::from_utf8(self.files.get(SERVICE_WORKER)?).ok()?;
        let worker = replaced_once(worker, &sha256(index), &sha256(text.as_bytes()))?;
        Some((text, worker))
    }
}

fn replaced_once(text: &str, from: &str, to: &str) -> Option<String> {
    (text.matches(from).count() == 1).then(|| text.replacen(from, to, 1))
}

impl Exported {
    /// The files in the order in which they are to be written: what is named by others first, the page and its service
    /// worker after it, the list last.
    #[must_use]
    pub fn files(&self) -> Vec<(&str, &Bytes)> {
        let mut files: Vec<(&str, &Bytes)> =
            self.files.iter().map(|(name, bytes)| (name.as_str(), bytes)).collect();
        let rank = |name: &str| [INDEX, SERVICE_WORKER, LIST].iter().position(|last| *last == name);
        files.sort_by_key(|(name, _)| rank(name));
        files
    }

    /// The hash of the page in this form.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether a file of this name with this content was written by an earlier export: the list of that one has its hash,
    /// or it is one of the header files.
    #[must_use]
    pub fn is_ours(name: &str, content: &[u8], earlier_list: &str) -> bool {
        let is_header_file = ["_headers", "nginx.conf"].contains(&name);
        let line = format!("{}  {name}", sha256(content));
        (is_header_file && content.starts_with(WRITTEN.as_bytes()))
            || (name == LIST && is_list(content))
            || earlier_list.lines().any(|known| known == line)
    }
}

/// Whether a text is a list of hashes with a page's index among it.
fn is_list(content: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    let names: Option<Vec<&str>> =
        text.lines().map(|line| Some(line.split_once("  ")?.1)).collect();
    names.is_some_and(|names| names.contains(&INDEX))
}

fn headers(site: &Site) -> Vec<(&'static str, String)> {
    let policy = ("Content-Security-Policy", page_policy(&site.origins));
    let others = HEADERS.iter().map(|(name, value)| (*name, (*value).to_owned()));
    [policy].into_iter().chain(others).collect()
}

/// `_headers`, as Netlify, Cloudflare Pages and others read it.
fn headers_file(site: &Site) -> String {
    let lines = headers(site).into_iter().map(|(name, value)| format!("  {name}: {value}\n"));
    let cached = |path: &str, value: &str| format!("{path}\n  Cache-Control: {value}\n");
    let caching = ["/w/*", "/sw.js", "/app.sha256", "/app.webmanifest"];
    let caching: String = caching.iter().map(|path| cached(path, REVALIDATE)).collect();
    let assets = cached("/assets/*", IMMUTABLE);
    format!("{WRITTEN}\n/*\n{}{caching}{assets}", lines.collect::<String>())
}

/// `nginx.conf`, to be included into a `server` block. A block with headers of its own has none of those around it, so
/// each says them all.
fn nginx_file(site: &Site) -> String {
    let lines = headers(site)
        .into_iter()
        .map(|(name, value)| format!("    add_header {name} \"{value}\" always;\n"));
    let lines: String = lines.collect();
    let block = |location: &str, rule: &str, cache: &str| {
        format!(
            "location {location} {{\n{rule}{lines}    add_header Cache-Control \"{cache}\" always;\n}}\n"
        )
    };
    let page = block("/w/", "    try_files $uri /w/index.html;\n", REVALIDATE);
    let rest = block("/", "", REVALIDATE);
    let types = "types { application/manifest+json webmanifest; }\n";
    let manifest = block("= /app.webmanifest", &format!("    {types}"), REVALIDATE);
    format!(
        "{WRITTEN}\n# Include it into the server block whose root is this folder.\n{page}{}{manifest}{rest}",
        block("/assets/", "", IMMUTABLE)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::page;

    const HTML: &str = "<head>\n    <meta charset=\"utf-8\" />\n</head>";

    fn built() -> Page {
        let worker = format!("const files = {{\"w/index.html\":\"{}\"}};", sha256(HTML.as_bytes()));
        page(&[
            (INDEX, HTML),
            ("w/index.html.br", "br"),
            (SERVICE_WORKER, &worker),
            ("assets/a.js", "a"),
        ])
    }

    fn site() -> Site {
        let media = ["https://media.example".to_owned()];
        Site::new("https://video.example", &media).unwrap()
    }

    fn text(exported: &Exported, name: &str) -> String {
        String::from_utf8(exported.files[name].to_vec()).unwrap()
    }

    #[test]
    fn an_exported_page_names_its_gateway_and_states_its_policy() {
        let exported = built().exported(&site()).unwrap();
        let index = text(&exported, INDEX);
        assert!(
            index.contains("<meta name=\"veilcast-gateway\" content=\"https://video.example\" />")
        );
        assert!(index.contains("connect-src 'self' https://media.example https://video.example;"));
        assert!(!index.contains("frame-ancestors"), "{index}");
        let worker = text(&exported, SERVICE_WORKER);
        assert!(worker.contains(&sha256(index.as_bytes())), "{worker}");
        assert!(!worker.contains(&sha256(HTML.as_bytes())), "{worker}");
        for headers in ["_headers", "nginx.conf"] {
            assert!(text(&exported, headers).contains("frame-ancestors 'none'"), "{headers}");
        }
    }

    #[test]
    fn the_hash_is_of_the_list_and_follows_the_site() {
        let exported = built().exported(&site()).unwrap();
        assert_eq!(exported.hash(), sha256(text(&exported, LIST).as_bytes()));
        assert_eq!(exported.hash(), built().exported(&site()).unwrap().hash());
        let other = Site::new("https://other.example", &[]).unwrap();
        assert_ne!(exported.hash(), built().exported(&other).unwrap().hash());
        let names: Vec<&str> = exported.files().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["_headers", "assets/a.js", "nginx.conf", INDEX, SERVICE_WORKER, LIST]);
    }

    #[test]
    fn what_an_earlier_export_wrote_is_known_and_nothing_else() {
        let exported = built().exported(&site()).unwrap();
        let list = text(&exported, LIST);
        for (name, content) in exported.files() {
            assert!(Exported::is_ours(name, content, &list), "{name}");
        }
        assert!(!Exported::is_ours(INDEX, b"<h1>My films</h1>", &list));
        assert!(!Exported::is_ours("assets/b.js", b"a", &list));
        assert!(!Exported::is_ours("_headers", b"/*\n  X: y\n", &list));
        assert!(!Exported::is_ours(LIST, b"shopping list", ""));
    }

    #[test]
    fn what_is_no_origin_or_no_page_is_refused() {
        let bads = [
            "",
            "video.example",
            "https://",
            "https://a/b",
            "https://A.b",
            "https://a;b",
            "https://a'b",
            "ftp://a",
        ];
        for bad in bads {
            assert_eq!(Site::new(bad, &[]), Err(NotExportable::Origin(bad.to_owned())), "{bad}");
        }
        assert!(Site::new("http://127.0.0.1:8787", &["http://[::1]:9000".to_owned()]).is_ok());
        for files in [&[][..], &[(INDEX, "<html>")], &[(INDEX, HTML), (SERVICE_WORKER, "none")]] {
            assert_eq!(page(files).exported(&site()).err(), Some(NotExportable::NoPage));
        }
    }
}
