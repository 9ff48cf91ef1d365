//! Other projects' playlists through the running gateway: signed, or refused for their way out.
//!
//! They lie in `VEILCAST_SAMPLES` or beside the repository and are not part of it.

use std::fs;

use super::playlists::verified;
use super::{STORE_URL, now, site, token};

/// Splits a line where the two differ: what stands before, what was there, what is there now, what stands after.
fn difference<'a>(was: &'a str, is: &'a str) -> (&'a str, &'a str) {
    let same = was.bytes().zip(is.bytes()).take_while(|(a, b)| a == b).count();
    let head = was[..same].rfind('"').map_or(0, |quote| quote + 1).min(same);
    let tail = was[head..].find('"').map_or(0, |quote| was.len() - head - quote);
    (&was[head..was.len() - tail], &is[head..is.len() - tail])
}

#[test]
fn every_sample_playlist_is_signed_line_by_line_or_refused_for_its_way_out() {
    let Some(folder) = veil_testkit::samples().map(|folder| folder.join("hls")) else { return };
    let site = site();
    let long = token("signed", 100_000, None);
    let (mut count, mut signed_count, mut refused) = (0, 0, Vec::new());
    for path in veil_testkit::files_below(&folder).unwrap() {
        if path.extension().is_none_or(|extension| extension != "m3u8") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        count += 1;
        site.write(&format!("signed/{name}"), &bytes);
        let answer = site.get_with(&format!("/hls/signed/{name}"), &long);
        if answer.status != 200 {
            answer.is_problem(502, "playlist-invalid");
            refused.push(name.to_owned());
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let (was, is): (Vec<&str>, Vec<&str>) =
            (text.split('\n').collect(), answer.text().split('\n').collect());
        assert_eq!(was.len(), is.len(), "{name}");
        for (was, is) in was.iter().zip(&is).filter(|(was, is)| was != is) {
            let (uri, url) = difference(was.trim_end_matches('\r'), is.trim_end_matches('\r'));
            assert!(!uri.contains("://") && !uri.contains(".m3u8"), "{name}: {was}");
            assert!(url.starts_with(&format!("{STORE_URL}signed/{uri}?")), "{name}: {url}");
            verified(url, now()).unwrap();
            signed_count += 1;
        }
    }
    assert!(count > 20 && signed_count > 50, "{count} playlists, {signed_count} URLs");
    assert_eq!(refused, ["llhls.m3u8"]);
}
