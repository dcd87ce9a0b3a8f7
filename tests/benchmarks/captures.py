"""The benchmark of packet captures: what reading and joining them costs against other tools.

``python tests/benchmarks/captures.py`` generates the captures when absent, runs every tool in a
process of its own, in turn, several times, and prints the least CPU seconds (user and system) of
each and the ratios.  Compare ratios, not seconds.  The cost of a packet is that of a whole file
less that of a small one of the same mix, by the packets between them, so that start-up counts for
nothing.  scapy and dpkt see a slice of the file.  It asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
HEADER, RECORD = 24, 16  # octets of a pcap file's and of a record's header
SMALL, SLICE = 20, 4  # megabytes of the file that is taken off, and of the slice for slow tools
HALF = 100  # megabytes of the two files for two cores
MIB = 1024  # in the kilobytes that the system counts in
FIELDS = ("frame.number", "frame.time_epoch", "ip.src", "ip.dst", "sip.Method", "sip.Status-Code",
          "sip.Call-ID", "sip.from.user", "sip.to.user", "sip.CSeq", "sip.User-Agent")  # fmt: skip

SIMBOX = """
if __name__ == "__main__":  # as in simbox itself, a worker process imports but what it needs
    import sys, tempfile
    from pathlib import Path
    from simbox.ingest.capture.run import CaptureOptions, ingest_captures
    from simbox.ingest.sources import Source
    from simbox.store import Store, StoreWriter
    with tempfile.TemporaryDirectory() as folder:
        with StoreWriter(Store.create(Path(folder) / "store", 8)) as writer:
            sources = [Source(Path(path)) for path in sys.argv[1:]]
            ingest_captures(sources, writer, CaptureOptions(0, 4_000_000_000))
"""
SCAPY = """
import sys
from scapy.all import PcapReader
for packet in PcapReader(sys.argv[1]): packet.time
"""
DPKT = """
import sys, dpkt
for time, octets in dpkt.pcap.Reader(open(sys.argv[1], "rb")):
    packet = dpkt.ethernet.Ethernet(octets).data
    if isinstance(packet, dpkt.ip.IP) and isinstance(packet.data, dpkt.udp.UDP):
        packet.data.sport, packet.data.data
"""


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    cpu: float  # seconds
    wall: float
    peak: int  # KiB of the largest process

    def least(self, other: Cost) -> Cost:
        """The lesser times of two runs, and the higher peak."""
        return Cost(
            min(self.cpu, other.cpu), min(self.wall, other.wall), max(self.peak, other.peak)
        )


@dataclass(frozen=True)
class Capture:
    """A generated capture."""

    path: Path
    packets: int


def run(command: list[str]) -> Cost:
    """Run a command in its own process, what it says thrown away.

    Modules are compiled once, as they are where a package is installed.
    """
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.setdefault("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "simbox-pyc"))
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]}: ended with exit code {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss)


def capture(work: Path, mix: str, megabytes: float, seed: int = 1) -> Capture:
    """A capture of a mix, generated when absent."""
    path = work / f"{mix}-{megabytes:g}-{seed}.pcap"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        sizes = ["--megabytes", str(megabytes), "--seed", str(seed)]
        generate = [sys.executable, str(HERE / "capture_generate.py"), mix, str(part), *sizes]
        subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
        part.rename(path)
    return Capture(path, packets_in(path))


def packets_in(path: Path) -> int:
    """The records of a pcap file, in little memory: what this process holds its children show."""
    count, held = 0, b""
    with path.open("rb") as file:
        file.seek(HEADER)
        while more := file.read(1 << 20):
            held, at = held + more, 0
            while at + RECORD <= len(held):
                after = at + RECORD + int(struct.unpack_from("<I", held, at + 8)[0])
                if after > len(held):
                    break
                at = after
                count += 1
            held = held[at:]
    return count


def tools() -> dict[str, list[str]]:
    """The commands that are installed, to which a file is added."""
    python = [sys.executable, "-c"]
    found = {"simbox": [*python, SIMBOX], "cat": ["cat"]}
    if tshark := shutil.which("tshark"):
        fields = [word for field in FIELDS for word in ("-e", field)]
        listing = [tshark, "-n", "-Y", "sip", "-T", "fields", *fields, "-z", "rtp,streams"]
        found["tshark"] = [*listing, "-r"]
    if find_spec("scapy"):
        found["scapy"] = [*python, SCAPY]
    if find_spec("dpkt"):
        found["dpkt"] = [*python, DPKT]
    return found


SLOW = frozenset({"scapy", "dpkt"})


def measure(captures: dict[str, Capture], repeat: int) -> dict[tuple[str, str], Cost]:
    """The least cost of each tool on each capture, over several rounds of all."""
    costs: dict[tuple[str, str], Cost] = {}
    for _ in range(repeat):
        for name, command in tools().items():
            for size in ("none", "slice") if name in SLOW else ("small", "large"):
                cost = run([*command, str(captures[size].path)])
                known = costs.get((name, size), cost)
                costs[name, size] = cost.least(known)
                print(f"{name}, {captures[size].path.name}: {cost.cpu:.2f} s", file=sys.stderr)
    return costs


def each(costs: dict[tuple[str, str], Cost], captures: dict[str, Capture], name: str) -> float:
    """CPU microseconds a packet of a tool, without its start-up."""
    low, high = ("none", "slice") if name in SLOW else ("small", "large")
    seconds = costs[name, high].cpu - costs[name, low].cpu
    return seconds * 1e6 / (captures[high].packets - captures[low].packets)


TARGETS = {"tshark": 15.0, "scapy": 150.0, "dpkt": 10.0}
MOST_OF_CAT, MOST_PEAK = 30.0, 300.0


def show(title: str, captures: dict[str, Capture], costs: dict[tuple[str, str], Cost]) -> None:
    """Print the table of one mix."""
    large = captures["large"]
    print(f"\n{title}: {large.packets:,} packets; least of the rounds\n")
    print(f"{'tool':8} {'CPU s':>8} {'us a packet':>12} {'peak MB':>8} {'/ simbox':>9}  target")
    own = each(costs, captures, "simbox")
    for name in tools():
        cost = costs[name, "slice" if name in SLOW else "large"]
        marginal = each(costs, captures, name)
        target = f">= {TARGETS[name]:g}" if name in TARGETS else ""
        print(
            f"{name:8} {cost.cpu:8.2f} {marginal:12.3f} {cost.peak / MIB:8.0f} "
            f"{marginal / own:9.2f}  {target}"
        )
    ours, floor = costs["simbox", "large"], costs["cat", "large"]
    print(f"whole process / cat: {ours.cpu / floor.cpu:.1f} (at most {MOST_OF_CAT:g})")
    print(f"peak MB: {ours.peak / MIB:.0f} (at most {MOST_PEAK:g})")
    if "tshark" in tools():
        print(f"tshark / simbox, whole process: {costs['tshark', 'large'].cpu / ours.cpu:.1f}")


def two_cores(work: Path, repeat: int) -> None:
    """Print what two files take side by side against one after the other."""
    halves = [str(capture(work, "voice", HALF, seed).path) for seed in (1, 2)]
    alone = sum(min(run([*tools()["simbox"], half]).wall for _ in range(repeat)) for half in halves)
    script = work / "simbox_ingest.py"  # processes are spawned from a file
    script.write_text(SIMBOX)
    both = min(run([sys.executable, str(script), *halves]).wall for _ in range(repeat))
    print(f"\ntwo files of {HALF} MB: wall time one by one / together: {alone / both:.2f}")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mixes", nargs="+", choices=["voice", "broadband"],
                        default=["voice", "broadband"])  # fmt: skip
    parser.add_argument("--megabytes", type=float, nargs="+", default=[200])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-pairs", action="store_true", help="leave out two files on two cores")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "simbox-bench")
    given = parser.parse_args()
    peaks: dict[str, list[float]] = {}
    for mix in given.mixes:
        sizes = {"none": 0.001, "slice": SLICE, "small": SMALL}
        captures = {name: capture(given.work, mix, size) for name, size in sizes.items()}
        for megabytes in given.megabytes:
            captures["large"] = capture(given.work, mix, megabytes)
            costs = measure(captures, given.repeat)
            show(f"{mix}, {megabytes:g} MB", captures, costs)
            peaks.setdefault(mix, []).append(costs["simbox", "large"].peak / MIB)
    for mix, found in peaks.items():
        if len(found) > 1:
            print(f"\n{mix}: peak grows by {found[-1] - found[0]:.0f} MB (at most 50)")
    if not given.no_pairs:
        two_cores(given.work, given.repeat)


if __name__ == "__main__":
    main()
