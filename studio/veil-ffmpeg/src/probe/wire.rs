//! ffprobe's JSON, as it is.
//!
//! Owns: the fields' spelling. Refuses to know: what they mean. Everything is optional, because
//! ffprobe leaves out what it does not know.

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) format: Format,
    pub(super) streams: Vec<Stream>,
    pub(super) chapters: Vec<Chapter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Format {
    pub(super) format_name: String,
    pub(super) duration: Option<String>,
    pub(super) start_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stream {
    pub(super) index: u32,
    pub(super) codec_name: Option<String>,
    pub(super) codec_type: Option<String>,
    pub(super) codec_tag_string: Option<String>,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) sample_aspect_ratio: Option<String>,
    pub(super) pix_fmt: Option<String>,
    pub(super) color_range: Option<String>,
    pub(super) color_space: Option<String>,
    pub(super) color_transfer: Option<String>,
    pub(super) color_primaries: Option<String>,
    pub(super) field_order: Option<String>,
    pub(super) r_frame_rate: Option<String>,
    pub(super) avg_frame_rate: Option<String>,
    pub(super) start_time: Option<String>,
    pub(super) duration: Option<String>,
    pub(super) channels: u32,
    pub(super) sample_rate: Option<String>,
    pub(super) disposition: Disposition,
    pub(super) tags: Tags,
    pub(super) side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Disposition {
    pub(super) default: u8,
    pub(super) forced: u8,
    pub(super) attached_pic: u8,
    pub(super) timed_thumbnails: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tags {
    pub(super) language: Option<String>,
    pub(super) title: Option<String>,
    /// Matroska's length of one track, as `00:00:01.234000000`.
    #[serde(rename = "DURATION")]
    pub(super) duration: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chapter {
    pub(super) start_time: Option<String>,
    pub(super) tags: Tags,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SideData {
    pub(super) rotation: Option<f64>,
    pub(super) displaymatrix: Option<String>,
    pub(super) dv_profile: Option<u32>,
    pub(super) dv_bl_signal_compatibility_id: Option<u32>,
}
