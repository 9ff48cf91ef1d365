"""The film of `cargo xtask bench make` as MoviePy 2 makes it: pictures that move, captions, a voice and music.

Called with a plan (JSON) and the file to write. The plan says what each scene shows, from when to when, and when which
caption stands there; it is the one that the other sides of the bench follow.
"""

import json
import sys

from moviepy import (
    AudioFileClip,
    CompositeAudioClip,
    CompositeVideoClip,
    ImageClip,
    TextClip,
    concatenate_videoclips,
)
from moviepy.audio.fx import AudioLoop, MultiplyVolume


def scene(plan, one):
    """A picture that fills the frame and comes nearer, or over which the eye goes."""
    width, height, seconds = plan["width"], plan["height"], one["seconds"]
    picture = ImageClip(one["file"])
    cover = max(width / picture.w, height / picture.h)
    larger = picture.resized(cover * (1.0 if one["motion"] == "zoom-in" else 1.15)).with_duration(seconds)
    if one["motion"] == "zoom-in":
        moved = larger.resized(lambda t: 1 + 0.15 * t / seconds).with_position("center")
    else:
        room = larger.w - width
        moved = larger.with_position(lambda t: (-room * t / seconds, (height - larger.h) / 2))
    return CompositeVideoClip([moved], size=(width, height)).with_duration(seconds)


def caption(plan, one):
    """Two lines of text on a dark box, where the captions of the other sides stand."""
    text = TextClip(
        font=plan["font"],
        text=one["text"],
        font_size=plan["font_size"],
        color="white",
        bg_color=(0, 0, 0, 160),
        method="caption",
        size=(int(plan["width"] * 0.8), None),
        text_align="center",
    )
    place = ("center", int(plan["height"] * 0.68))
    return text.with_start(one["start"]).with_end(one["end"]).with_position(place)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    pictures = concatenate_videoclips([scene(plan, one) for one in plan["scenes"]])
    length = pictures.duration
    captions = [caption(plan, one) for one in plan["captions"] if one["start"] < length]
    voice = AudioFileClip(plan["voice"]).subclipped(0, length)
    music = AudioFileClip(plan["music"]).with_effects([AudioLoop(duration=length), MultiplyVolume(0.25)])
    film = CompositeVideoClip([pictures, *captions]).with_duration(length)
    film = film.with_audio(CompositeAudioClip([voice, music]))
    film.write_videofile(
        sys.argv[2],
        fps=plan["fps"],
        codec="libx264",
        preset="veryfast",
        ffmpeg_params=["-crf", "20", "-pix_fmt", "yuv420p"],
        audio_codec="aac",
        audio_bitrate="192k",
        threads=plan["threads"],
        logger=None,
    )


main()
