# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""setups.py - what a row of the cases starts: servers, what is beside them, and their end."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LIVE, BUILD = os.environ["LIVE"], os.environ["BUILD"]
CPUS = sorted(os.sched_getaffinity(0))
PYTHON = ("epoll", "streams", "serial", "expect", "listener", "overflow")
LIMIT = 10	# s that a server may take to listen


class CannotArrange(Exception):
    pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Setup:
    """The processes of one row, in a folder of their own."""

    def __init__(self, row, cpu):
        self.row, self.cpu = row, cpu
        self.folder = tempfile.mkdtemp(prefix="case.", dir=os.environ.get("LIVE_DIR"))
        self.processes, self.groups = [], []
        self.port, self.served, self.pids = 0, 0, []
        self.throttled = self.waited = self.waited_ns = None

    def start(self, *command, cpu=None, nice=0, **kw):
        command = [str(word) for word in command]
        if cpu is not None:
            command = ["taskset", "-c", str(cpu)] + command
        if nice:
            command = ["nice", "-n", str(nice)] + command
        log = open(os.path.join(self.folder, f"log.{len(self.processes)}"), "w")
        process = subprocess.Popen(command, start_new_session=True,
                                   **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **kw})
        self.processes.append(process)
        return process

    def with_port(self, *command, **kw):
        """One that says its port; returns both."""
        process = self.start(*command, stdout=subprocess.PIPE, text=True, **kw)
        words = process.stdout.readline().split()
        if words[:1] == ["cannot"]:
            raise CannotArrange("the kernel does not let us")
        if words[:1] != ["port"]:
            raise RuntimeError(f"{' '.join(map(str, command))} says {words}")
        return process, int(words[1])

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def wait_for(self, port):
        end = time.monotonic() + LIMIT
        while not listens(port):
            if time.monotonic() > end:
                raise RuntimeError(f"nobody listens on {port}")
            time.sleep(0.02)

    def installed(self, program):
        if not shutil.which(program):
            raise CannotArrange(f"{program} is not installed")
        return program

    # --- servers ---

    def serve(self):
        kind, *words = self.row.server.split()
        if kind in PYTHON:
            process, self.port = self.with_port("python3", f"{HERE}/server.py", kind, *words, cpu=self.cpu)
        elif kind in ("pool", "faulting"):
            process, self.port = self.with_port(f"{LIVE}/{kind}", *words, cpu=self.cpu)
        elif kind == "spinning":
            process, self.port = self.with_port(f"{LIVE}/spinning", *words, cpu=self.cpu)
        elif kind == "http2":
            process, self.port = self.with_port(self.installed("node"), f"{HERE}/http2.js", "serve", cpu=self.cpu)
        elif kind == "epollserver":
            process, self.port = self.with_port(f"{BUILD}/epollserver", *words, cpu=self.cpu)
        else:
            process = getattr(self, "serve_" + kind)(*words)
            self.wait_for(self.port)
        self.served = process.pid
        self.pids.append(process.pid)

    def serve_nginx(self, proxied=""):
        """With a word it is a proxy before an upstream of ours, whose options the word is."""
        answer = 'return 200 "ok\\n"'
        upstream = ""
        if proxied:
            _, port = self.with_port(f"{BUILD}/epollserver", "--protocol", "http",
                                     *proxied.replace("+", " ").split(), cpu=CPUS[-1])
            upstream = f"upstream u {{ server 127.0.0.1:{port}; keepalive 8; }}"
            answer = 'proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""'
        self.port = free_port()
        paths = "".join(f"{name}_temp_path {self.folder}/{name}; " for name in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = self.file("nginx.conf", f"""daemon off; worker_processes 1; pid {self.folder}/pid;
            error_log {self.folder}/error; events {{ worker_connections 512; }}
            http {{ access_log off; keepalive_requests 1000000; {paths} {upstream}
            server {{ listen 127.0.0.1:{self.port}; location / {{ {answer}; }} }} }}""")
        return self.start(self.installed("nginx"), "-p", self.folder, "-c", conf, "-e",
                          f"{self.folder}/error", cpu=self.cpu)

    def serve_haproxy(self):
        self.port = free_port()
        conf = self.file("haproxy.cfg", f"""
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
frontend f
    bind 127.0.0.1:{self.port}
    http-request return status 200 content-type text/plain string ok
""")
        return self.start(self.installed("haproxy"), "-f", conf, "-db", cpu=self.cpu)

    def serve_redis(self):
        self.port = free_port()
        return self.start(self.installed("redis-server"), "--bind", "127.0.0.1", "--port", self.port,
                          "--save", "", "--dir", self.folder, cpu=self.cpu)

    def serve_memcached(self):
        self.port = free_port()
        return self.start(self.installed("memcached"), "-l", "127.0.0.1", "-p", self.port, "-U", 0, "-t", 1,
                          "-u", "root", cpu=self.cpu)

    def serve_node(self):
        process, self.port = self.with_port(self.installed("node"), "tests/live/servers/node_server.js",
                                            f"{self.folder}/count", cpu=self.cpu)
        return process

    def serve_go(self):
        process, self.port = self.with_port(f"{LIVE}/go_server", f"{self.folder}/count")
        return process

    # --- what is beside them ---

    def surround(self):
        for words in self.row.beside:
            kind, *words = words.split()
            getattr(self, "beside_" + kind)(*words)

    def beside_hog(self, nice):
        self.start("sh", "-c", "while :; do :; done", cpu=self.cpu, nice=int(nice))

    def beside_listener(self, *words):
        self.with_port("python3", f"{HERE}/server.py", "listener", f"port={self.port}", *words)

    def beside_overflow(self):
        self.with_port("python3", f"{HERE}/server.py", "overflow")

    def beside_server(self, *words):
        """Another one of the target, listed first or last."""
        process, _ = self.with_port("python3", f"{HERE}/server.py", "epoll", cpu=self.cpu)
        self.pids.insert(0 if "first" in words else len(self.pids), process.pid)

    def beside_quota(self, percent):
        """The server that is asked has so much of a processor, in a group of its own."""
        for root in ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup"):
            group = f"{root}/epollscope-case-{os.getpid()}-{self.port}"
            try:
                os.mkdir(group)
            except OSError:
                continue
            self.groups.append(group)
            try:
                if os.path.exists(f"{group}/cpu.cfs_quota_us"):
                    write(f"{group}/cpu.cfs_quota_us", int(percent) * 1000)
                else:
                    write(f"{group}/cpu.max", f"{int(percent) * 1000} 100000")
                write(f"{group}/cgroup.procs", self.served)
                return
            except OSError:
                continue
        raise CannotArrange("no group with a quota can be made here")

    def throttled_periods(self):
        for group in self.groups:
            with open(f"{group}/cpu.stat") as file:
                return int(dict(line.split() for line in file)["nr_throttled"])
        return 0

    # --- the end ---

    def end(self):
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        for process in reversed(self.processes):
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout:
                process.stdout.close()
        for group in self.groups:
            remove_group(group)
        shutil.rmtree(self.folder, ignore_errors=True)


def write(path, value):
    with open(path, "w") as file:
        file.write(str(value))


def remove_group(group):
    for _ in range(100):
        try:
            os.rmdir(group)
            return
        except OSError:
            time.sleep(0.02)
