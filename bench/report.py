"""The tables, the results file, and what fell behind."""
import datetime
import json
import os
import pathlib
import platform
import subprocess

from measure import median

BEHIND = 1.1


def seconds(samples, member):
    return f"{median([getattr(s, member) for s in samples]):.2f}" if samples else ""


def mebibytes(samples):
    return f"{median([s.peak_bytes for s in samples]) / 2**20:.0f}" if samples else ""


def headline(result):
    """The figure that the row is about."""
    if result.left_out:
        return f"left out: {result.left_out}"
    if not result.figures:
        return ""
    figure = result.figures[0]
    name = "" if figure.name == "ratio" else figure.name + " "
    spread = f" ({figure.low:.2f} to {figure.high:.2f})" if figure.low is not None else ""
    return f"{name}{figure.value:.2f}{spread}"


def goal_of(result, goals):
    parts = []
    for figure in result.figures:
        goal = goals.get(result.name, {}).get(figure.name)
        if goal is not None:
            sign = "≥" if figure.better == "higher" else "≤"
            parts.append(f"{'' if figure.name == 'ratio' else figure.name + ' '}{sign} {goal:g}"
                         f"{'' if figure.reaches(goal) else ' MISSED'}")
    return ", ".join(parts)


def table(results, goals):
    lines = ["| row | size | wall s | processor s | peak MiB | peer | its wall s | its processor s | its peak MiB "
             "| ratio (spread) | goal | limit's share |",
             "|---|---:|---:|---:|---:|---|---:|---:|---:|---|---|---|"]
    for r in results:
        if r.name.startswith("micro "):
            continue
        share = f"{r.share['share']:.0%} {r.share['limit']}" if r.share else ""
        lines.append("| " + " | ".join([
            r.name, str(r.size), seconds(r.ours, "wall_s"), seconds(r.ours, "cpu_s"), mebibytes(r.ours), r.peer_name,
            seconds(r.peer, "wall_s"), seconds(r.peer, "cpu_s"), mebibytes(r.peer), headline(r), goal_of(r, goals),
            share]) + " |")
    return lines if len(lines) > 2 else []


def micro_table(found):
    if not found:
        return []
    lines = ["| micro | MB/s | limit's share |", "|---|---:|---|"]
    for name, row in found.items():
        limit = row["limit"].replace("_bytes_s", "").replace("_s", "")
        lines.append(f"| {name} | {row['bytes_per_second'] / 1e6:.0f} | {row['share']:.0%} {limit} |")
    return lines


def limits_table(limits):
    lines = ["| physical limit, one core | |", "|---|---:|"]
    for name, value in limits.items():
        if name.endswith("_bytes_s"):
            lines.append(f"| {name.removesuffix('_bytes_s')} | {value / 1e6:.0f} MB/s |")
        elif name.endswith("_seconds"):
            lines.append(f"| {name.removesuffix('_seconds')} | {value * 1000:.2f} ms |")
        else:
            lines.append(f"| {name.removesuffix('_s')} | {value:.0f} /s |")
    return lines


def verdicts(results, goals):
    lines = []
    for r in results:
        for figure in r.figures:
            goal = goals.get(r.name, {}).get(figure.name)
            if goal is None:
                continue
            if not figure.reaches(goal):
                lines.append(f"missed: {r.name}: {figure.name} {figure.value:.3g}, goal {goal:g}: "
                             f"{figure.behind_by(goal):.0%} short")
            elif figure.name == "ratio" and figure.behind_by(goal) < -0.1:
                lines.append(f"beaten: {r.name}: {figure.name} {figure.value:.3g}, goal {goal:g}: raise it in "
                             "bench/goals.json once a quiet machine has shown it again")
    return lines


def last_figures(directory, name, size):
    """Of the newest results file that has the row at that size; with the file's name."""
    for path in sorted(directory.glob("*.json"), reverse=True):
        for row in json.loads(path.read_text())["rows"]:
            if row["name"] == name and row["size"] == size:
                return path.name, row["figures"]
    return None, {}


def fallen_behind(results, directory):
    lines = []
    for r in results:
        file, figures = last_figures(directory, r.name, r.size)
        for figure in r.figures:
            last = figures.get(figure.name, {}).get("value")
            if last and not figure.reaches(last, BEHIND):
                lines.append(f"behind: {r.name}: {figure.name} {figure.value:.3g}, in {file} it was {last:.3g}: "
                             f"{figure.behind_by(last):.0%} worse")
    return lines


def command_output(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def machine(runner):
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"processor": model, "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
            "file_system": command_output("findmnt", "-n", "-o", "FSTYPE", "-T", str(runner.scratch)),
            "load_at_start": os.getloadavg()[0], "commit": command_output("git", "rev-parse", "--short", "HEAD"),
            "changed": bool(command_output("git", "status", "--porcelain", "src"))}


def write(directory, about, limits, results, micro):
    """Into today's file. Rows that were not run again stay, with the machine and limits that they were run with."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{datetime.date.today().isoformat()}.json"
    rows = {}
    if path.exists():
        rows = {(row["name"], row["size"]): row for row in json.loads(path.read_text())["rows"]}
    for r in results:
        row = r.as_json() | {"machine": about, "limits": limits}
        if r.name.startswith("micro "):
            row["micro"] = micro[r.name.removeprefix("micro ")]
        rows[(r.name, r.size)] = row
    part = path.with_suffix(".tmp")
    part.write_text(json.dumps({"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                                "rows": list(rows.values())}, indent=1, ensure_ascii=False) + "\n")
    part.rename(path)
    return path
