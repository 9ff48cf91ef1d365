//! The clip that the demo shows when it is given no video: twenty seconds of 720p, made here in a few seconds.
//!
//! A slow gradient with a game of life in it, the notes of the music as bars, a title, and a running timecode and frame
//! number that show a person whether a seek landed where it should.

use std::fs;
use std::path::PathBuf;

use veil_testkit::make_clip;

use super::music;
use crate::console::note;
use crate::failure::{During, Outcome};
use crate::repo::Repo;

/// Name of the clip below `target/demo`; change it with the clip, which is made only when it is not there.
const NAME: &str = "veilcast-demo-1.mp4";

/// The picture is composed small, since all but the text is soft, and then enlarged.
const FILTERS: &str = "\
gradients=size=320x180:rate=30:nb_colors=5:x0=0:y0=0:x1=320:y1=180:speed=0.012:seed=7\
:c0=0x070b1f:c1=0x123c69:c2=0x3b1f5e:c3=0x8a2f55:c4=0x0c1838\
,scale=640:360:flags=bilinear,format=gbrp[sky];\
life=size=160x90:rate=15:ratio=0.16:mold=24:seed=11\
:life_color=white:death_color=0x6fd3ff:mold_color=black\
,fps=30,scale=640:360:flags=bilinear,boxblur=3:2,format=gbrp[life];\
[sky][life]blend=all_mode=screen:all_opacity=0.3[stage];\
[0:a]asplit[sound][seen];\
[seen]showcqt=size=640x180:fps=30:bar_g=1:sono_h=0:bar_h=180:axis_h=0:bar_t=0.5:count=2\
,pad=640:360:0:180,format=gbrp[bars];\
[stage][bars]blend=all_mode=screen:all_opacity=0.75,scale=1280:720:flags=bilinear,format=yuv420p\
,drawtext=text='Veilcast':x=(w-tw)/2:y=h*0.27:fontsize=96:fontcolor=white\
:shadowcolor=black@0.5:shadowx=2:shadowy=3\
,drawtext=text='sealed here, opened only in your browser':x=(w-tw)/2:y=h*0.43\
:fontsize=34:fontcolor=white@0.85\
,drawtext=text='%{pts\\:hms}   frame %{n}':x=40:y=40:fontsize=28:fontcolor=white\
:box=1:boxcolor=black@0.4:boxborderw=12[picture]";

/// Returns the clip, made now if it is not there yet.
pub(crate) fn demo_clip(repo: &Repo) -> Outcome<PathBuf> {
    let dir = repo.target.join("demo");
    let clip = dir.join(NAME);
    if clip.is_file() {
        return Ok(clip);
    }
    note(format_args!("making a clip of {} seconds", music::SECONDS));
    fs::create_dir_all(&dir).during(format_args!("making {}", dir.display()))?;
    let sound = tempfile::Builder::new().suffix(".wav").tempfile_in(&dir);
    let sound = sound.during("making a file for the sound")?;
    fs::write(sound.path(), music::wav()).during("writing the sound")?;
    let arguments = arguments(&sound.path().to_string_lossy());
    make_clip(&clip, &arguments).during("making the clip")?;
    Ok(clip)
}

fn arguments(sound: &str) -> Vec<String> {
    let seconds = music::SECONDS.to_string();
    [
        &["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-i", sound][..],
        &["-filter_complex", FILTERS, "-map", "[picture]", "-map", "[sound]", "-t", &seconds],
        &["-c:v", "libx264", "-preset", "superfast", "-crf", "20", "-c:a", "aac", "-b:a", "160k"],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}
