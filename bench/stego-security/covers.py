"""Real frames: short pieces of films as lossless carriers, what lies in them after hiding, and luma planes of both.

Owns: which films, and what is cut out of them. Refuses to know: detectors.
"""

import json
import subprocess
from pathlib import Path

import numpy as np

# Samples by film; of each file, the seconds at which a piece begins. Decoded as they are: no scaling, 8 bits.
FILMS = {
    "sintel": [("sintel_trailer-720p.mp4", (14, 17, 20, 23, 26, 29))],
    "bunny": [
        ("bbb_720p_h264_aac51.mp4", (0.5, 3.5)),
        ("bbb_2500ms.ts", (0.2, 2.0)),
        ("rotate-buck-bunny.mp4", (0.1, 1.3)),
        ("big_buck_bunny_0_30.webm", (12, 20)),
    ],
    "sample": [("sample_video_only.mp4", (0.1, 0.5))],
    "hevc": [("hevc.ts", (1.5, 2.2, 3.0, 4.3))],
}

PIECE_FRAMES = 12
# Of each piece, the frames that are looked at. The head lies in the first, at a rate of its own.
LOOKED_AT = (3, 6, 9)
CROP_WIDTH, CROP_HEIGHT = 512, 256
CROPS_OF_A_FRAME = 4


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{words[0]} {words[1]}: {done.stderr.decode(errors='replace')[-600:]}")
    return done.stdout


def ffmpeg(*words):
    return run("ffmpeg", "-nostdin", "-v", "error", "-y", *words)


def size_of(video):
    said = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "json",
               "-show_entries", "stream=width,height", video)
    stream = json.loads(said)["streams"][0]
    return stream["width"], stream["height"]


def luma(video, frames):
    """The luma planes of the frames with these numbers, to the last bit."""
    width, height = size_of(video)
    raw = ffmpeg("-noautorotate", "-i", video, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo",
                 "-pix_fmt", "yuv420p", "-")
    chroma = 2 * ((width + 1) // 2) * ((height + 1) // 2)
    planes = np.frombuffer(raw, np.uint8).reshape(-1, width * height + chroma)[:, : width * height]
    return [planes[at].reshape(height, width).copy() for at in frames if at < len(planes)]


def is_flat(plane):
    """Whether so few neighbours differ that the product leaves such a frame alone."""
    return np.count_nonzero(plane[:, 1:] != plane[:, :-1]) < plane.size // 16


def crops(plane):
    """Corners of the pieces of a plane that are looked at: not flat, evenly spread."""
    rows = range(0, plane.shape[0] - CROP_HEIGHT + 1, CROP_HEIGHT)
    columns = range(0, plane.shape[1] - CROP_WIDTH + 1, CROP_WIDTH)
    corners = [(y, x) for y in rows for x in columns]
    corners = [corner for corner in corners if not is_flat(cut(plane, corner))]
    step = max(1, len(corners) // CROPS_OF_A_FRAME)
    return corners[::step][:CROPS_OF_A_FRAME]


def cut(plane, corner):
    y, x = corner
    return np.ascontiguousarray(plane[y : y + CROP_HEIGHT, x : x + CROP_WIDTH])


class Piece:
    """Some frames of a film, as a carrier."""

    def __init__(self, film, source, start, folder):
        self.film = film
        self.path = folder / f"{Path(source).stem}-{start}.mkv"
        if not self.path.is_file():
            ffmpeg("-noautorotate", "-ss", start, "-i", source, "-map", "0:v:0", "-frames:v", PIECE_FRAMES,
                   "-fps_mode", "passthrough",
                   "-c:v", "libx264", "-qp", 0, "-preset", "ultrafast", "-pix_fmt", "yuv420p", self.path)
        planes = luma(self.path, range(PIECE_FRAMES))
        self.carries = len(planes) > max(LOOKED_AT) and not any(map(is_flat, planes))
        self.planes = [planes[at] for at in LOOKED_AT if at < len(planes)]
        self.samples = sum(plane.size for plane in planes)

    def hidden(self, veilcast, folder, rate, profile):
        """Hides as much as a rate allows; returns the frames that are looked at, and the bits a sample that it came to."""
        # Keyring, headers and tags of a message come on top of what is hidden.
        room = self.samples * rate / 8
        payload = int(room * 0.995) - 3400
        (folder / "payload").write_bytes(np.random.default_rng(1).bytes(payload))
        key = folder / "key"
        key.write_bytes(np.random.default_rng(2).bytes(32))
        key.chmod(0o600)
        out = folder / "hidden.mkv"
        said = run(veilcast, "--json", "hide", "--force", "--no-verify", "--carrier", self.path, "--payload",
                   folder / "payload", "--key", key, "-o", out, "--max-rate", rate, "--profile", profile)
        return luma(out, LOOKED_AT), json.loads(said)["bits_per_sample"]


def places(samples):
    """Film, file and second of every piece."""
    for film, files in FILMS.items():
        for name, starts in files:
            for start in starts:
                yield film, samples / "media" / name, start
