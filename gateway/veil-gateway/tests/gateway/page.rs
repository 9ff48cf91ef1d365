//! The watch page and its assets.

use std::fs;

use tempfile::TempDir;
use veil_gateway::{PageFiles, ServeLimits};
use veil_page::TRUSTED_TYPES_POLICIES;

use crate::site::{ABSENT, GRANT, Site, write_page};

const SCRIPT: &str = "/assets/watch-1a2b3c.js";

fn built() -> (TempDir, Site) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("assets")).unwrap();
    write_page(folder.path(), "<!doctype html>");
    write("w/index.html.br", "br of page");
    for name in ["sw.js", "app.webmanifest", "app.sha256", "icon-192.png"] {
        write(name, name);
    }
    write("favicon.svg", "<svg/>");
    write("assets/watch-1a2b3c.js", "script");
    write("assets/watch-1a2b3c.js.br", "br of script");
    write("assets/watch-1a2b3c.js.gz", "gz of script");
    write("assets/plain-1.css", "style");
    let page = PageFiles::folder(folder.path()).unwrap();
    let site = Site::with(ServeLimits::default(), page);
    (folder, site)
}

#[test]
fn the_page_is_the_same_for_every_id_and_may_run_its_own_scripts_only() {
    let (_folder, site) = built();
    for id in [GRANT, ABSENT, "nonsense", "%ff", "", "index.html"] {
        let page = site.get(&format!("/w/{id}"));
        assert_eq!((page.status, page.text()), (200, "<!doctype html>"));
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        let policy = page.header("content-security-policy").unwrap();
        let policies = TRUSTED_TYPES_POLICIES.join(" ");
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
                 img-src 'self' blob:; media-src 'self' blob:; style-src 'self'; font-src 'self'; \
                 manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                 require-trusted-types-for 'script'; trusted-types {policies}"
            )
        );
    }
}

#[test]
fn assets_never_change_and_carry_the_pages_policy_for_workers() {
    let (_folder, site) = built();
    let script = site.get(SCRIPT);
    assert_eq!((script.status, script.text()), (200, "script"));
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    let forever = "public, max-age=31536000, immutable";
    assert_eq!(script.header("cache-control"), Some(forever));
    let page = site.get("/w/x");
    let policy = "content-security-policy";
    assert_eq!(script.header(policy), page.header(policy));
    assert_eq!(site.get("/favicon.svg").header("content-type"), Some("image/svg+xml"));
    for absent in [
        "/assets/",
        "/assets/x.js",
        "/assets/watch-1a2b3c.js.br",
        "/w/index.html.br/x",
        "/index.html",
    ] {
        site.get(absent).is_problem(404, "not-found");
    }
}

#[test]
fn what_an_installed_page_consists_of_is_asked_for_again_each_time() {
    let (_folder, site) = built();
    for (name, media_type) in [
        ("sw.js", "text/javascript; charset=utf-8"),
        ("app.webmanifest", "application/manifest+json"),
        ("app.sha256", "text/plain; charset=utf-8"),
    ] {
        let file = site.get(&format!("/{name}"));
        assert_eq!((file.status, file.text()), (200, name));
        assert_eq!(file.header("content-type"), Some(media_type));
        assert_eq!(file.header("cache-control"), Some("no-cache"));
    }
    let icon = site.get("/icon-192.png");
    assert_eq!(icon.header("cache-control"), Some("public, max-age=86400"));
    site.get("/icon-512.png").is_problem(404, "not-found");
}

#[test]
fn the_best_encoding_that_both_sides_have_is_chosen() {
    let (_folder, site) = built();
    let check = |target: &str, accept: &str, encoding: Option<&str>, text: &str| {
        let answer = site.send(&format!("GET {target}"), &[&format!("Accept-Encoding: {accept}")]);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-encoding"), encoding, "{target}, {accept}");
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert_eq!(answer.text(), text);
    };
    check(SCRIPT, "gzip, deflate, br", Some("br"), "br of script");
    check(SCRIPT, "gzip, deflate, br;q=0", Some("gzip"), "gz of script");
    check(SCRIPT, "deflate", None, "script");
    check("/w/x", "gzip", None, "<!doctype html>");
    check("/w/x", "br", Some("br"), "br of page");
    check("/assets/plain-1.css", "gzip, br", None, "style");
}

#[test]
fn a_page_that_the_browser_has_is_304_per_encoding() {
    let (_folder, site) = built();
    let plain = site.get("/w/x").header("etag").unwrap().to_owned();
    let brotli = site.send("GET /w/x", &["Accept-Encoding: br"]).header("etag").unwrap().to_owned();
    assert_ne!(plain, brotli);
    let same = site.send("GET /w/x", &[&format!("If-None-Match: {plain}")]);
    assert_eq!((same.status, same.body.len()), (304, 0));
    let other = site.send("GET /w/x", &[&format!("If-None-Match: {brotli}")]);
    assert_eq!(other.status, 200);
}

#[test]
fn a_head_of_the_page_has_no_body() {
    let (_folder, site) = built();
    let head = site.send("HEAD /w/x", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("15"));
}

#[test]
fn a_gateway_without_its_page_says_so_and_serves_the_rest() {
    let site = Site::new();
    let page = site.get("/w/x");
    page.is_problem(503, "page-missing");
    assert!(page.text().contains("npm run build"), "{}", page.text());
    site.get(SCRIPT).is_problem(404, "not-found");
    assert_eq!(site.get_with_bearer(&format!("/v1/grants/{GRANT}")).status, 200);
}
