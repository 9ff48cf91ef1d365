"""What our lossless output gives away to detectors, beside ideal HILL at the same rates, on real frames.

Called with the paths of the program `veilcast`, of the samples and of a folder to work in; prints one JSON object
for `cargo xtask bench stego-security`. Everything random has a fixed seed but what the product draws itself.
"""

import hashlib
import json
import multiprocessing
import pickle
import sys
import tempfile
from pathlib import Path

import numpy as np

import covers
import detectors

# Bits a sample, and the profile: what is hidden without being asked, where hiding warns, between them and twice that.
OURS = [(rate, profile) for rate in (0.01, 0.025, 0.05, 0.1) for profile in ("default", "careful")]
RATES = sorted({rate for rate, _ in OURS})
OTHERS = {"ideal HILL": detectors.IdealHill, "LSB replacement": detectors.Replacement}

# Estimates of LSB replacement are taken up to here: beyond, the replaced bits are plain to see.
ESTIMATED_UP_TO = 0.05

# Divisions of all crops into halves, to train on the one and be tried on the other.
SPLITS = 10


# Pieces that are worked on at once.
AT_ONCE = 4

NAMES = [("cover", 0.0)] + [(profile, rate) for rate, profile in OURS]
NAMES += [(name, rate) for name in OTHERS for rate in RATES]


class Method:
    """What a way to hide made of the frames: SPAM features by crop, and estimates by frame."""

    def __init__(self):
        self.features, self.pairs, self.rs, self.changed = [], [], [], []

    def take(self, planes, corners, untouched, estimated):
        for plane, places, was in zip(planes, corners, untouched):
            self.features += [detectors.spam(covers.cut(plane, corner)) for corner in places]
            self.changed.append(float(np.mean(plane != was)))
            if estimated:
                self.pairs.append(detectors.sample_pairs(plane[:720, :1280]))
                self.rs.append(detectors.rs(plane[:720, :1280]))

    def join(self, other):
        for mine, theirs in zip(vars(self).values(), vars(other).values()):
            mine.extend(theirs)


def look(job):
    """Hides in a piece in every way: what detectors see of each, and how many crops that is. Nothing of a piece that is flat."""
    film, source, start, veilcast, work = job
    cache = kept(work, veilcast) / f"{source.stem}-{start}.pickle"
    if cache.is_file():
        return pickle.loads(cache.read_bytes())
    piece = covers.Piece(film, source, start, work)
    if not piece.carries:
        return film, 0, {}
    methods = {name: Method() for name in NAMES}
    corners = [covers.crops(plane) for plane in piece.planes]
    methods["cover", 0.0].take(piece.planes, corners, piece.planes, True)
    told = {}
    with tempfile.TemporaryDirectory(dir=work) as folder:
        for rate, profile in OURS:
            planes, told[rate] = piece.hidden(veilcast, Path(folder), rate, profile)
            methods[profile, rate].take(planes, corners, piece.planes, rate <= ESTIMATED_UP_TO)
    for name, hider in OTHERS.items():
        hiders = [hider(plane) for plane in piece.planes]
        for rate in RATES:
            planes = [hider.hidden(told[rate], seed) for seed, hider in enumerate(hiders)]
            methods[name, rate].take(planes, corners, piece.planes, rate <= ESTIMATED_UP_TO)
    crops = sum(map(len, corners))
    print(f"{piece.path.stem}: {crops} crops", file=sys.stderr, flush=True)
    whole = cache.with_suffix(".part")
    whole.write_bytes(pickle.dumps((film, crops, methods)))
    whole.rename(cache)
    return film, crops, methods


def halves(count):
    """Random divisions into halves: which are trained on."""
    for seed in range(SPLITS):
        trained = np.zeros(count, bool)
        trained[np.random.default_rng(seed).permutation(count)[: count // 2]] = True
        yield trained


def by_film(films):
    """Each film held back once."""
    for film in sorted(set(films)):
        yield np.array([other != film for other in films])


def errors(cover, stego, divisions):
    """The error of a discriminant that is trained on one part and tried on the other, over all divisions; of the
    regularizations the one that suits the detector best."""
    found, weights = [], []
    for trained in divisions:
        tried = ~trained
        deciders = detectors.discriminants(cover[trained], stego[trained])
        found.append([detectors.error(says(cover[tried]), says(stego[tried])) for says in deciders])
        weights.append(np.count_nonzero(tried))
    return float(np.min(np.average(found, axis=0, weights=weights)))


def row(name, rate, method, cover, films):
    """A line of the table: how many samples changed, how far estimates moved by it beside their own spread, and errors."""
    line = {"method": name, "rate": rate, "changed": float(np.mean(method.changed))}
    for test in ("pairs", "rs"):
        theirs, own = np.array(getattr(method, test)), np.array(getattr(cover, test))
        if theirs.size:
            line[test] = {
                "mean": float(np.mean(theirs)),
                "deviation": float(np.std(theirs)),
                "moved": float(np.mean(theirs - own)),
            }
    if name != "cover":
        reference, features = np.array(cover.features), np.array(method.features)
        line["spam_by_frame"] = errors(reference, features, halves(len(films)))
        line["spam_by_film"] = errors(reference, features, by_film(films))
    return line


def kept(work, veilcast):
    """The folder for what was found with this program and these scripts: an experiment that is stopped goes on there."""
    parts = [veilcast, *sorted(Path(__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts))
    return work / digest.hexdigest()[:16]


def main():
    veilcast, samples, work = map(Path, sys.argv[1:4])
    kept(work, veilcast).mkdir(parents=True, exist_ok=True)
    jobs = [(*place, veilcast, work) for place in covers.places(samples)]
    all_of, films, frames = {name: Method() for name in NAMES}, [], 0
    with multiprocessing.Pool(AT_ONCE) as pool:
        for film, crops, methods in pool.imap(look, jobs):
            films += [film] * crops
            for name, method in methods.items():
                all_of[name].join(method)
            frames += len(covers.LOOKED_AT) if methods else 0
    cover = all_of["cover", 0.0]
    rows = [row(name, rate, method, cover, films) for (name, rate), method in all_of.items()]
    json.dump({"frames": frames, "crops": len(films), "films": len(set(films)), "rows": rows}, sys.stdout)


if __name__ == "__main__":
    main()
