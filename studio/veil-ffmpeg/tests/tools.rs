//! FFmpeg is missing, old, crippled or not FFmpeg at all.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use veil_ffmpeg::{Error, Tools};

use crate::support::{launcher, tools};

/// Scripts in place of `ffmpeg` and `ffprobe`: the faults of installations that are not here.
async fn found(ffmpeg: &str, ffprobe: &str) -> Result<Tools, Error> {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in [("ffmpeg", ffmpeg), ("ffprobe", ffprobe)] {
        if !script.is_empty() {
            write(&folder.path().join(name), script);
        }
    }
    Tools::find(&launcher(), OsStr::new(""), Some(folder.path())).await
}

fn write(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

const OLD: &str = "echo 'ffmpeg version 4.4.2-0ubuntu0 Copyright (c) 2000-2021'";

#[tokio::test]
async fn the_machines_ffmpeg_is_found_and_fit() {
    let tools = tools().await;
    assert!(tools.ffmpeg.is_absolute() && tools.ffprobe.is_absolute());
    assert!(tools.version.chars().next().unwrap().is_alphanumeric());
}

#[tokio::test]
async fn a_missing_ffmpeg_is_named_with_the_way_to_get_it() {
    let error = found("", "").await.unwrap_err();
    assert_eq!(error.to_string(), "ffmpeg is missing");
    assert_eq!(error.hint(), Some("install it: apt-get install ffmpeg"));
    let error = found(OLD, "").await.unwrap_err();
    assert_eq!(error.to_string(), "ffprobe is missing");
    let empty = Tools::find(&launcher(), OsStr::new("relative:/nonexistent"), None).await;
    assert!(matches!(empty, Err(Error::ToolMissing { .. })));
}

#[tokio::test]
async fn an_ffmpeg_that_is_too_old_is_named_with_its_version() {
    let error = found(OLD, OLD).await.unwrap_err();
    let expected = "ffmpeg is too old: version 4.4.2-0ubuntu0, at least 5.1 is needed";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn an_ffmpeg_without_an_encoder_is_refused_by_its_name() {
    let tool = |name: &str| {
        format!(
            "case $2 in -version) echo '{name} version 6.0 x';; \
             -encoders) echo ' V..... libx264 x'; echo ' A..... aac x'; echo ' S..... webvtt x';; \
             -filters) for f in aformat aresample bwdif color concat format fps pan scale setparams \
             setsar split thumbnail; \
             do echo \" ... $f x\"; done;; esac"
        )
    };
    let error = found(&tool("ffmpeg"), &tool("ffprobe")).await.unwrap_err();
    assert_eq!(error.to_string(), "this FFmpeg lacks libwebp, tile");
}

#[tokio::test]
async fn a_program_that_is_not_ffmpeg_is_not_taken_for_it() {
    let error = found("echo hello", "echo hello").await.unwrap_err();
    let expected = "ffmpeg does not answer as expected: it does not print its version";
    assert_eq!(error.to_string(), expected);
    let error = found("echo broken >&2; exit 1", OLD).await.unwrap_err();
    assert!(error.to_string().ends_with("broken"), "{error}");
    let error = found("while :; do echo y; done", OLD).await.unwrap_err();
    assert!(matches!(error, Error::TooMuchOutput { .. }), "{error}");
}
