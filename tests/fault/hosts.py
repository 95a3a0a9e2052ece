"""Hosts on one machine: network namespaces with a bridge between them, their bandwidth limited if asked for."""
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from fault_runs import Skip

NETWORK = "10.77.0"


def ip(*words, **kwargs):
    return subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, **kwargs)


class Hosts:
    """`with Hosts(4, "100mbit") as hosts`: mpirun(...) starts ranks on them, one by one in turn. Needs root."""

    def __init__(self, count, rate=None):
        self.count, self.rate = count, rate
        self.bridge = f"wende{os.getpid() % 100000}"

    def name(self, index):
        return f"{self.bridge}-{NETWORK}.{index + 1}"

    def __enter__(self):
        if os.getuid() != 0 or ip("link", "add", self.bridge, "type", "bridge").returncode != 0:
            raise Skip("no network namespaces can be made here")
        try:
            self.make()
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            self.__exit__()
            raise Skip(f"no network namespaces can be made here: {error}") from None
        return self

    def make(self):
        ip("link", "set", self.bridge, "up", check=True)
        ip("addr", "add", f"{NETWORK}.254/24", "dev", self.bridge, check=True)
        for i in range(self.count):
            outer = f"{self.bridge}v{i}"
            ip("netns", "add", self.name(i), check=True)
            ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", self.name(i), check=True)
            ip("link", "set", outer, "master", self.bridge, "up", check=True)
            ip("-n", self.name(i), "addr", "add", f"{NETWORK}.{i + 1}/24", "dev", "eth0", check=True)
            for device in ["eth0", "lo"]:
                ip("-n", self.name(i), "link", "set", device, "up", check=True)
            if self.rate:
                limit = ["tbf", "rate", self.rate, "burst", "64kb", "latency", "100ms"]
                subprocess.run(["tc", "-n", self.name(i), "qdisc", "add", "dev", "eth0", "root", *limit], check=True)
        self.folder = tempfile.TemporaryDirectory(prefix="wende-hosts-")
        self.agent = Path(self.folder.name) / "agent.sh"  # mpirun calls it in place of ssh: HOST COMMAND...
        self.agent.write_text(  # a TMPDIR for each: their launchers have the same host name
            f'#!/bin/sh\nhost=$1; shift\nexport TMPDIR={self.folder.name}/$host; mkdir -p $TMPDIR\n'
            f'exec ip netns exec "{self.bridge}-$host" sh -c "$*"\n')
        self.agent.chmod(0o755)

    def __exit__(self, *_):
        for i in range(self.count):
            for pid in ip("netns", "pids", self.name(i)).stdout.split():  # a cut-off host's launcher waits for long
                os.kill(int(pid), signal.SIGKILL)
            ip("link", "del", f"{self.bridge}v{i}")
            ip("netns", "del", self.name(i))
        ip("link", "del", self.bridge)

    def mpirun(self, ranks, *command, options=()):
        """options: of mpirun; environment variables of ranks go in as "-x", "NAME"."""
        each = (ranks + self.count - 1) // self.count
        hosts = ",".join(f"{NETWORK}.{i + 1}:{each}" for i in range(self.count))
        network = f"{NETWORK}.0/24"
        return ["mpirun", "--mca", "plm_rsh_agent", str(self.agent), "--host", hosts, "--map-by", "node", "--bind-to", "none",
                "--mca", "oob_tcp_if_include", network, "--mca", "btl_tcp_if_include", network, "--mca", "btl", "tcp,self",
                "-x", "OMP_NUM_THREADS", *options, "-n", str(ranks),
                *map(str, command)]

    def environment(self):
        """The same for an mpirun that somebody else calls; with HOSTS as launch/mpirun.sh wants them."""
        network = f"{NETWORK}.0/24"
        return {"OMPI_MCA_plm_rsh_agent": str(self.agent), "OMPI_MCA_oob_tcp_if_include": network,
                "OMPI_MCA_btl_tcp_if_include": network, "OMPI_MCA_btl": "tcp,self",
                "HOSTS": ",".join(f"{NETWORK}.{i + 1}:1" for i in range(self.count))}

    def cut(self, index):
        """Nothing goes to or comes from that host any more."""
        ip("link", "set", f"{self.bridge}v{index}", "down", check=True)
