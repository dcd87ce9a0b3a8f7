"""Captures of real stacks in private network namespaces: sipp, baresip, kamailio, wireguard-go.

``python captures/make_stacks.py`` needs root, those programs and tcpdump; addresses
are documentation addresses on the loopback of a namespace of its own. Voice and sealed octets are
cut off, and the files are compressed. Real time passes, so no two runs give the same octets.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import zstandard
from lab import manifest
from lab.files import save
from lab.scene import Scene

STACKS = Path(__file__).parent / "lab" / "stacks"
GATEWAY, PROXY, SWITCH = "192.0.2.44", "198.51.100.5", "198.51.100.20"
TUNNEL = ("192.0.2.47", "203.0.113.200")
HEADERS = 54  # octets kept of a media frame: Ethernet, IPv4, UDP, RTP
SEALED = 74  # of a tunnel's frame: the headers and 32 octets of the message
BARESIP_MODULES = ("g711", "aufile", "aubridge", "uuid", "account", "menu")
SECONDS_OF_CALLS = 26
WHAT = {
    "stack-sipp-4": "sipp through kamailio into sipp as a gateway of 4 lines",
    "stack-sipp-8": "sipp through kamailio into sipp as a gateway of 8 lines",
    "stack-sipp-32": "sipp through kamailio into sipp as a gateway of 32 lines",
    "stack-kamailio-baresip": "baresip with 4 accounts at kamailio, called by 4 baresip",
    "stack-wireguard": "sipp calls on 4 lines through wireguard-go, as they pass outside",
    "stack-wireguard-inner": "the same calls inside the tunnel",
}
LINES = {"stack-sipp-8": 8, "stack-sipp-32": 32}  # the others have 4


@contextmanager
def running(*command: str, cwd: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ended when its part of the play is over."""
    with subprocess.Popen(  # noqa: S603  # our own commands
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(0.8)
        try:
            yield process
        finally:
            process.terminate()


def shell(*command: str) -> None:
    """A command that must work."""
    subprocess.run(command, check=True)  # noqa: S603  # our own commands


@contextmanager
def captured(target: Path, interface: str, expression: str, *, kept: int) -> Iterator[None]:
    """What passes meanwhile, compressed, media and sealed octets cut off."""
    raw = target.with_suffix(".raw")
    with running("tcpdump", "-U", "-i", interface, "-w", str(raw), expression):
        yield
        time.sleep(0.5)
    cut = b"".join(short(raw.read_bytes(), kept))
    target.write_bytes(zstandard.ZstdCompressor(level=12).compress(cut))
    raw.unlink()


def short(data: bytes, kept: int) -> Iterator[bytes]:
    """The capture with what is no signalling cut to `kept` octets."""
    yield data[:24]
    at = 24
    while at + 16 <= len(data):
        seconds, micros, size, wire = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + size]
        signalling = b"SIP/2.0" in frame
        frame = frame if signalling else frame[:kept]
        yield struct.pack("<IIII", seconds, micros, len(frame), wire) + frame
        at += 16 + size


def answering(scratch: Path, address: str) -> tuple[str, ...]:
    """The gateway, played by sipp; it sends voice back as it comes."""
    del scratch
    script = str(STACKS / "gateway.xml")
    return (
        "sipp",
        "-sf",
        script,
        "-i",
        address,
        "-p",
        "5060",
        "-rtp_echo",
        "-mp",
        "17000",
        "-nostdin",
        "-trace_err",
    )


def dial(scratch: Path, lines: int, own: str, target: str) -> None:
    """The softswitch, played by sipp: as many calls at once as the gateway has lines."""
    voice = Scene()
    ends: dict[str, object] = {"src": (SWITCH, 24_000), "dst": (GATEWAY, 17_000), "ssrc": 0x51B0C5}
    voice.speak(0, 8, **ends, loss=0.0, jitter_ns=0)
    save(voice, scratch / "voice.pcap")
    calls = max(lines + 2, lines * SECONDS_OF_CALLS // 14)
    command = (
        "sipp",
        "-sf",
        str(STACKS / "softswitch.xml"),
        "-i",
        own,
        "-p",
        "5060",
        target,
        "-l",
        str(lines),
        "-m",
        str(calls),
        "-r",
        str(max(lines // 4, 1)),
        "-nostdin",
        "-timeout",
        "90",
        "-mp",
        "24000",
    )
    subprocess.run(  # noqa: S603  # our own command
        command,
        cwd=scratch,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def proxy(scratch: Path) -> tuple[str, ...]:
    """The registrar and proxy, kamailio."""
    return (
        "kamailio",
        "-DD",
        "-E",
        "-f",
        str(STACKS / "kamailio.cfg"),
        "-m",
        "16",
        "-M",
        "4",
        "-Y",
        str(scratch),
        "-P",
        str(scratch / "kamailio.pid"),
    )


def with_sipp(out: Path, scratch: Path, lines: int) -> None:
    """Calls through kamailio into sipp as a gateway with lines, as its access link sees them."""
    with ExitStack() as stage:
        stage.enter_context(running(*proxy(scratch), cwd=scratch))
        stage.enter_context(running(*answering(scratch, GATEWAY), cwd=scratch))
        target = out / f"stack-sipp-{lines}.pcap.zst"
        stage.enter_context(captured(target, "lo", f"udp and host {GATEWAY}", kept=HEADERS))
        dial(scratch, lines, SWITCH, PROXY)


def baresip(folder: Path, own: str, port: int, accounts: list[str]) -> tuple[str, ...]:
    """A baresip with accounts; those that answer do so by themselves."""
    folder.mkdir()
    modules = Path(shutil.which("baresip") or "baresip").parents[1] / "lib" / "baresip" / "modules"
    with wave.open(str(folder / "tone.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(struct.pack("<80h", *(200 * (i % 8) for i in range(80))) * 6000)
    config = [
        f"sip_listen {own}:{port}",
        f"audio_source aufile,{folder}/tone.wav",
        "audio_player aubridge,x",
        f"module_path {modules}",
        "call_max_calls 8",
        "rtp_ports 10000-20000",
    ]
    for name in BARESIP_MODULES:
        kind = "module_app" if name in {"account", "menu"} else "module"
        config.append(f"{kind} {name}.so")
    (folder / "config").write_text("\n".join(config) + "\n", encoding="utf-8")
    (folder / "accounts").write_text("\n".join(accounts) + "\n", encoding="utf-8")
    return "baresip", "-f", str(folder)


def with_baresip(out: Path, scratch: Path, lines: int = 4) -> None:
    """Accounts that register with kamailio and answer, and callers from afar."""
    common = f";regint=60;audio_codecs=PCMA/8000/1;sipnat=none"  # noqa: F541
    own = [f"<sip:{2001 + i}@{PROXY}>;answermode=auto{common}" for i in range(lines)]
    with ExitStack() as stage:
        stage.enter_context(running(*proxy(scratch), cwd=scratch))
        target = out / "stack-kamailio-baresip.pcap.zst"
        stage.enter_context(captured(target, "lo", f"udp and host {GATEWAY}", kept=HEADERS))
        stage.enter_context(running(*baresip(scratch / "gateway", GATEWAY, 5060, own)))
        time.sleep(2)
        for i in range(lines):
            caller = [f"<sip:{3001 + i}@{PROXY}>;regint=0{common}"]
            command = baresip(scratch / f"caller{i}", SWITCH, 5060 + 10 * i, caller)
            dialled = f"/dial sip:{2001 + i}@{PROXY}"
            stage.enter_context(running(*command, "-e", dialled, "-t", str(18 - 3 * i)))
        time.sleep(16)


def with_wireguard(out: Path, scratch: Path, lines: int = 4) -> None:
    """Calls of sipp through two wireguard-go, inside and outside captured at once."""
    keys = [_key() for _ in TUNNEL]
    with ExitStack() as stage:
        for side, own in enumerate(TUNNEL):
            name, space = f"wg{side}", f"inner{side}"
            stage.enter_context(running("wireguard-go", "-f", name))
            far = 1 - side
            (scratch / name).write_text(keys[side][0], encoding="utf-8")
            shell(
                "wg",
                "set",
                name,
                "private-key",
                str(scratch / name),
                "listen-port",
                str(51_820 + side),
                "peer",
                keys[far][1],
                "allowed-ips",
                "0.0.0.0/0",
                "endpoint",
                f"{TUNNEL[far]}:{51_820 + far}",
                "persistent-keepalive",
                "25",
            )
            shell("ip", "netns", "add", space)
            shell("ip", "link", "set", name, "netns", space)
            inside = ("ip", "-n", space)
            shell(*inside, "addr", "add", f"10.9.0.{side + 1}/24", "dev", name)
            shell(*inside, "link", "set", name, "up")
            del own
        within = ("ip", "netns", "exec")
        stage.enter_context(
            running(*within, "inner0", *answering(scratch, "10.9.0.1"), cwd=scratch)
        )
        outer, inner = (out / f"stack-wireguard{part}.pcap.zst" for part in ("", "-inner"))
        stage.enter_context(captured(outer, "lo", "udp", kept=SEALED))
        here = [*within, "inner1", sys.executable, __file__, "--inside", str(inner), str(lines)]
        shell(*here)


def _key() -> tuple[str, str]:
    private = subprocess.check_output(["wg", "genkey"], text=True)  # noqa: S607
    public = subprocess.check_output(["wg", "pubkey"], text=True, input=private)  # noqa: S607
    return private, public.strip()


def inside_tunnel(target: Path, lines: int) -> None:
    """The calling side within the tunnel, with a capture of the clear packets."""
    scratch = Path(tempfile.mkdtemp())
    with captured(target, "wg1", "udp", kept=HEADERS - 14):
        dial(scratch, lines, "10.9.0.2", "10.9.0.1")
    shutil.rmtree(scratch)


def play(out: Path, only: list[str]) -> None:
    """All captures, one after the other."""
    shell("mount", "-t", "tmpfs", "tmpfs", "/run")  # names of namespaces stay among us
    shell("ip", "link", "set", "lo", "up")
    for address in (GATEWAY, PROXY, SWITCH, *TUNNEL):
        shell("ip", "addr", "add", f"{address}/32", "dev", "lo")
    plays: dict[str, Callable[[Path, Path], None]] = {
        f"sipp-{lines}": partial(with_sipp, lines=lines) for lines in (4, 8, 32)
    }
    plays |= {"baresip": with_baresip, "wireguard": with_wireguard}
    for name, made in plays.items():
        if not only or name in only:
            with tempfile.TemporaryDirectory() as scratch:
                made(out, Path(scratch))


def section(folder: Path) -> str:
    """The manifest's section of these captures."""
    head: dict[str, manifest.Value] = {
        "what": "real stacks in network namespaces; media and sealed octets cut off",
        "made_by": "captures/make_stacks.py",
        "programs": "sipp 3.6.1, kamailio 5.6.3, baresip 1.0.0, wireguard-go, tcpdump",
        "access": "192.0.2.0/24",
    }
    tables = [manifest.table("stacks", head)]
    for name, what in WHAT.items():
        path = folder / "network" / f"{name}.pcap.zst"
        if not path.exists():
            continue
        host = "10.9.0.1" if "inner" in name else TUNNEL[0] if "wire" in name else GATEWAY
        told: dict[str, manifest.Value] = {"path": f"network/{path.name}", "what": what}
        told |= {"host": host, "ports": LINES.get(name, 4), "sha256": manifest.digest(path)}
        tables.append(manifest.table("stacks.files", told, many=True))
    return "\n".join(tables)


def main() -> None:
    """Enter namespaces of our own and play; then describe what was captured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="target folder")
    parser.add_argument("--only", nargs="*", default=[], help="sipp-8, baresip, wireguard ...")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        inside_tunnel(Path(chosen.inside[0]), int(chosen.inside[1]))
        return
    folder = chosen.out.resolve()
    if chosen.alone:
        play(folder / "network", chosen.only)
        return
    (folder / "network").mkdir(parents=True, exist_ok=True)
    again = (sys.executable, __file__, "--alone", "--out", str(folder), "--only", *chosen.only)
    shell("unshare", "-n", "-m", *again)
    manifest.write(folder / "manifest.toml", "stacks", section(folder))


if __name__ == "__main__":
    main()
