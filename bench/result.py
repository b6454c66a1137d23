"""What a row found."""
import dataclasses
import os

from measure import median


@dataclasses.dataclass
class Figure:
    """A number that has a goal, or that is held against the last results."""
    name: str
    value: float
    better: str  # "higher" or "lower"
    low: float = None
    high: float = None

    @staticmethod
    def of(name, values, better):
        return Figure(name, median(values), better, min(values), max(values))

    def reaches(self, bound, slack=1.0):
        return self.value >= bound / slack if self.better == "higher" else self.value <= bound * slack

    def behind_by(self, bound):
        """How far it is behind a bound, as a share of it."""
        return (bound - self.value if self.better == "higher" else self.value - bound) / bound


def limit_share(samples, serial, spread):
    """The share of a run's wall time that the machine's limits alone would take, with the limit that binds: the longest
    of what must be done by one core or one disk, and of what may be spread over all cores. Seconds of one core each."""
    cores = len(os.sched_getaffinity(0))
    bounds = dict(serial)
    if spread:
        bounds[" + ".join(spread)] = sum(spread.values()) / cores
    name = max(bounds, key=bounds.get)
    return {"limit": name, "share": bounds[name] / median([sample.wall_s for sample in samples])}


def series(samples):
    rows = {"wall_s": [s.wall_s for s in samples], "cpu_s": [s.cpu_s for s in samples],
            "peak_bytes": [s.peak_bytes for s in samples]}
    for name in samples[0].extra if samples else ():
        rows[name] = [s.extra[name] for s in samples]
    return rows


class Result:
    def __init__(self, name, size, ours, peer_name, peer, left_out=None, share=None, figures=(), notes=()):
        self.name = name
        self.size = size
        self.ours = ours
        self.peer_name = peer_name
        self.peer = peer
        self.left_out = str(left_out) if left_out else None
        self.share = share
        self.figures = list(figures)
        self.notes = list(notes)
        if peer:
            ratios = [b.wall_s / a.wall_s for a, b in zip(ours, peer)]
            self.figures.insert(0, Figure.of("ratio", ratios, better="higher"))

    def figure(self, name):
        return next((figure for figure in self.figures if figure.name == name), None)

    def as_json(self):
        return {"name": self.name, "size": self.size, "ours": series(self.ours),
                "peer": {"name": self.peer_name, "left_out": self.left_out, **series(self.peer)},
                "figures": {f.name: {"value": f.value, "better": f.better, "low": f.low, "high": f.high}
                            for f in self.figures},
                "limit": self.share, "notes": self.notes}
