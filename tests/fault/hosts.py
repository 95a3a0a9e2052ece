"""Hosts on one machine: network namespaces with a bridge between them, its bandwidth limited if asked for; or, where
latency is asked for, with a program between them (link_relay.c): not every kernel can delay packets."""
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from fault_runs import Skip


def ip(*words, **kwargs):
    return subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, **kwargs)


class Hosts:
    """`with Hosts(4, 100, 5) as hosts`: mpirun(...) starts ranks on them, one by one in turn. Needs root. `megabits` per
    second is what each host can send (and, with latency, get); `latency` in ms, one way."""

    def __init__(self, count, megabits=None, latency=None):
        self.count, self.megabits, self.latency = count, megabits, latency
        self.relay, self.folder = None, tempfile.TemporaryDirectory(prefix="wende-hosts-")
        self.bridge = f"wende{os.getpid() % 100000}"
        self.network = f"10.77.{os.getpid() % 250}"  # what a killed test left does not get in the way

    def name(self, index):
        return f"{self.bridge}-{self.network}.{index + 1}"

    def __enter__(self):
        if os.getuid() != 0:
            raise Skip("network namespaces are root's")
        try:
            self.make_bridge() if self.latency is None else self.make_relay()
            self.write_agent()
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            self.__exit__()
            raise Skip(f"no network namespaces can be made here: {error}") from None
        return self

    def make_bridge(self):
        ip("link", "add", self.bridge, "type", "bridge", check=True)
        ip("link", "set", self.bridge, "up", check=True)
        ip("addr", "add", f"{self.network}.254/24", "dev", self.bridge, check=True)
        for i in range(self.count):
            outer = f"{self.bridge}v{i}"
            ip("netns", "add", self.name(i), check=True)
            ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", self.name(i), check=True)
            ip("link", "set", outer, "master", self.bridge, "up", check=True)
            self.bring_up(i)
            if self.megabits:
                limit = ["tbf", "rate", f"{self.megabits}mbit", "burst", "64kb", "latency", "100ms"]
                subprocess.run(["tc", "-n", self.name(i), "qdisc", "add", "dev", "eth0", "root", *limit], check=True)

    def make_relay(self):
        program = f"{self.folder.name}/link_relay"
        source = Path(__file__).parent / "link_relay.c"
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", program, source], check=True)
        words = [program, self.bridge, str(self.count), str(self.megabits or 1e6), str(self.latency)]
        self.relay = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.relay.stdout.readline() != "ready\n":
            raise FileNotFoundError("no TUN devices")
        for i in range(self.count):
            ip("netns", "add", self.name(i), check=True)
            ip("link", "set", f"{self.bridge}{i}", "netns", self.name(i), check=True)
            ip("-n", self.name(i), "link", "set", f"{self.bridge}{i}", "name", "eth0", "mtu", 9000, check=True)
            self.bring_up(i)
        own = f"{self.bridge}{self.count}"
        ip("addr", "add", f"{self.network}.254/24", "dev", own, check=True)
        ip("link", "set", own, "mtu", 9000, "up", check=True)

    def bring_up(self, index):
        ip("-n", self.name(index), "addr", "add", f"{self.network}.{index + 1}/24", "dev", "eth0", check=True)
        for device in ["eth0", "lo"]:
            ip("-n", self.name(index), "link", "set", device, "up", check=True)

    def write_agent(self):
        self.agent = Path(self.folder.name) / "agent.sh"  # mpirun calls it in place of ssh: HOST COMMAND...
        self.agent.write_text(  # a TMPDIR for each: their launchers have the same host name
            f'#!/bin/sh\nhost=$1; shift\nexport TMPDIR={self.folder.name}/$host; mkdir -p $TMPDIR\n'
            f'exec ip netns exec "{self.bridge}-$host" sh -c "$*"\n')
        self.agent.chmod(0o755)

    def __exit__(self, *_):
        for i in range(self.count):
            for pid in ip("netns", "pids", self.name(i)).stdout.split():  # a cut-off host's launcher waits for long
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it has just ended by itself
            ip("link", "del", f"{self.bridge}v{i}")
            ip("netns", "del", self.name(i))
        ip("link", "del", self.bridge)
        if self.relay is not None:
            self.relay.stdin.close()
            self.relay.wait()

    def mpirun(self, ranks, *command, options=()):
        """options: of mpirun; environment variables of ranks go in as "-x", "NAME"."""
        each = (ranks + self.count - 1) // self.count
        hosts = ",".join(f"{self.network}.{i + 1}:{each}" for i in range(self.count))
        network = f"{self.network}.0/24"
        return ["mpirun", "--mca", "plm_rsh_agent", str(self.agent), "--host", hosts, "--map-by", "node", "--bind-to", "none",
                "--mca", "oob_tcp_if_include", network, "--mca", "btl_tcp_if_include", network, "--mca", "btl", "tcp,self",
                "-x", "OMP_NUM_THREADS", *options, "-n", str(ranks),
                *map(str, command)]

    def environment(self):
        """The same for an mpirun that somebody else calls; with HOSTS as launch/mpirun.sh wants them."""
        network = f"{self.network}.0/24"
        return {"OMPI_MCA_plm_rsh_agent": str(self.agent), "OMPI_MCA_oob_tcp_if_include": network,
                "OMPI_MCA_btl_tcp_if_include": network, "OMPI_MCA_btl": "tcp,self",
                "HOSTS": ",".join(f"{self.network}.{i + 1}:1" for i in range(self.count))}

    def cut(self, index):
        """Nothing goes to or comes from that host any more."""
        ip("-n", self.name(index), "link", "set", "eth0", "down", check=True)
