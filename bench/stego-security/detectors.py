"""Detectors: sample pairs, RS, SPAM features with a linear discriminant; and what hides without being ours.

SPAM's 686 features are sealwatch's, ideal HILL is conseal's simulation. Both packages import much that is not used here
(networks above all) when they are imported whole, so parts of them are.
"""

import importlib
import importlib.util
import sys
import types

import numpy as np

SPAM_FEATURES = 686
# Of these regularizations each detector gets the one that is best against what it is tried on.
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def part_of(package, part):
    """Imports `package.part` without the package's own beginning."""
    if package not in sys.modules:
        whole = types.ModuleType(package)
        whole.__path__ = list(importlib.util.find_spec(package).submodule_search_locations)
        sys.modules[package] = whole
    return importlib.import_module(f"{package}.{part}")


SPAM = part_of("sealwatch", "_sealwatch").spam
HILL = part_of("conseal", "hill")
SIMULATE = part_of("conseal", "simulate")

# The part of a plane on which the strength of HILL's changes is sought: one sample in so many.
SOUGHT_ON = 16


def spam(plane):
    """Second-order SPAM (Pevny, Bas and Fridrich 2010), T = 3."""
    features = SPAM.extract(x1=np.ascontiguousarray(plane), T=3, rounded=False)
    vector = np.concatenate([np.ravel(part) for part in features.values()])
    assert vector.size == SPAM_FEATURES
    return vector


def sample_pairs(plane):
    """The rate of LSB replacement that sample pairs beside each other tell (Dumitrescu, Wu and Memon 2003); may be
    below zero by noise."""
    u, v = plane[:, :-1].ravel().astype(int), plane[:, 1:].ravel().astype(int)
    even = v % 2 == 0
    x = np.count_nonzero((even & (u < v)) | (~even & (u > v)))
    y = np.count_nonzero((even & (u > v)) | (~even & (u < v)))
    same_two = np.count_nonzero(u // 2 == v // 2)
    roots = np.roots([same_two / 2, 2 * x - u.size, y - x])
    return float(np.min(np.real(roots)))


def regular_less_singular(groups, mask):
    """Of groups of four, the share that a flipping makes rougher less that which it makes smoother."""

    def roughness(of):
        return np.abs(np.diff(of, axis=1)).sum(axis=1)

    flipped = groups.copy()
    plus, minus = mask == 1, mask == -1
    flipped[:, plus] ^= 1
    flipped[:, minus] = ((flipped[:, minus] + 1) ^ 1) - 1
    change = roughness(flipped) - roughness(groups)
    return (np.count_nonzero(change > 0) - np.count_nonzero(change < 0)) / len(groups)


def rs(plane):
    """The rate of LSB replacement that RS tells (Fridrich, Goljan and Du 2001), mask 0 1 1 0."""
    columns = plane.shape[1] // 4 * 4
    groups = plane[:, :columns].reshape(-1, 4).astype(np.int16)
    mask = np.array([0, 1, 1, 0], np.int16)
    d0, m0 = (regular_less_singular(groups, sign * mask) for sign in (1, -1))
    d1, m1 = (regular_less_singular(groups ^ 1, sign * mask) for sign in (1, -1))
    roots = np.roots([2 * (d1 + d0), m0 - m1 - d1 - 3 * d0, d0 - m0])
    root = np.real(roots[np.argmin(np.abs(roots))])
    return float(root / (root - 0.5))


class IdealHill:
    """HILL in three values, at the bound of what codes can do: its costs for one plane, and changes at any rate."""

    def __init__(self, plane):
        self.plane = plane
        self.costs = HILL.compute_cost_adjusted(x0=plane)

    def hidden(self, rate, seed):
        # The one parameter of the changes' distribution is found on a part of the plane: whole planes take seconds.
        part = tuple(cost.ravel()[::SOUGHT_ON] for cost in self.costs)
        strength = strength_of(part, rate * part[0].size)
        up, down = self.costs
        chances = SIMULATE.get_p(strength, up, down), SIMULATE.get_p(strength, down, up)
        return self.plane + SIMULATE._ternary.simulate(ps=chances, seed=seed).astype(np.uint8)


def strength_of(costs, bits):
    """The parameter of the changes' distribution at which they carry so many bits, by halving."""
    low, high = 1e-6, 1e6
    for _ in range(50):
        middle = (low * high) ** 0.5
        carried = SIMULATE.average_payload(lbda=middle, rhos=costs)[1]
        low, high = (middle, high) if carried > bits else (low, middle)
    return (low * high) ** 0.5


class Replacement:
    """Lowest bits put in the place of others, at random places: what sample pairs and RS were made for."""

    def __init__(self, plane):
        self.plane = plane

    def hidden(self, rate, seed):
        rng = np.random.default_rng(seed)
        carried = rng.random(self.plane.shape) < rate
        bits = rng.integers(0, 2, self.plane.shape, dtype=np.uint8)
        return np.where(carried, self.plane & 0xFE | bits, self.plane)


def discriminants(covers, stegos):
    """Fisher's linear discriminant over standardized features, for each regularization: functions that tell what looks
    written to. Thresholds lie halfway between the two means that were trained on."""
    both = np.concatenate([covers, stegos])
    mean, scale = both.mean(axis=0), both.std(axis=0) + 1e-12
    a, b = (covers - mean) / scale, (stegos - mean) / scale
    between, middle = b.mean(axis=0) - a.mean(axis=0), (b.mean(axis=0) + a.mean(axis=0)) / 2
    # The spread within is z'z. There are fewer crops than features, so what is solved is as large as the crops are many (Woodbury).
    z = np.concatenate([(of - of.mean(axis=0)) / np.sqrt(len(of) - 1) for of in (a, b)])
    within = z @ z.T
    for ridge in RIDGES:
        strength = ridge * np.trace(within) / z.shape[1]
        inner = np.linalg.solve(within + strength * np.eye(len(z)), z @ between)
        direction = (between - z.T @ inner) / strength
        yield lambda features, d=direction: ((features - mean) / scale - middle) @ d > 0


def error(of_covers, of_stegos):
    """The mean of false alarms and misses; 0.5 is guessing."""
    return float((np.mean(of_covers) + 1 - np.mean(of_stegos)) / 2)
