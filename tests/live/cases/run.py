# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run.py [REGEX]: sets the rows of table.py up, watches each, and judges what was said; results as all
tests print them, then the matrix of case, findings and exchanges.

Rows run side by side: those that compute on a processor each, the others four at a time, and those
that need the machine alone by themselves. A row that fails runs once more, alone, and that is shown.
"""
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time

from setups import CPUS, HERE, LIVE, BUILD, CannotArrange, Setup
from table import ROWS

SCOPE = os.environ["EPOLLSCOPE"]
LIMIT = 25	# s that a watch may take to attach or to end
WAITED = 2	# per cent of the time, by the scheduler: then it is starved indeed
OTHERS = 25	# per cent of a processor: then what is said of others on it may be right


class Seen:
    """What a row's report said, and what its clients saw; the names that conditions use."""

    def __init__(self, report, text, client, setup):
        self.report, self.text, self.client = report, text, client
        self.throttled, self.waited, self.waited_ns = setup.throttled, setup.waited, setup.waited_ns
        self.codes = [f["code"] for f in report["diagnosis"] if f["severity"] != "info"]
        self.words = " / ".join(f"{f['code']}: {f['summary']} {f['advice']}" for f in report["diagnosis"])

    def kind(self, name):
        found = [t for t in (self.report.get("traffic") or []) if t["kind"] == name]
        return found[0] if found else {"connections": 0, "exchanges": 0, "latency_ns": None}

    def evidence(self, code, name):
        return [f["evidence"].get(name) for f in self.report["diagnosis"] if f["code"] == code][0]

    def holds(self, condition):
        names = {"r": self.report, "c": self.client, "kind": self.kind, "evidence": self.evidence,
                 "throttled": self.throttled, "holds": self.report.get("holds"),
                 "protocols": [p for t in (self.report.get("traffic") or []) for p in t["protocols"]]}
        try:
            return bool(eval(condition, {}, names))	# our own table's words
        except (KeyError, IndexError, TypeError):
            return False

    def has(self, want):
        """A condition, words as /REGEX/, or one of several codes."""
        if want.startswith("="):
            return self.holds(want[1:].strip())
        if want.startswith("/"):
            return bool(re.search(want.strip("/"), self.words + self.text, re.I | re.S))
        return any(code in [f["code"] for f in self.report["diagnosis"]] for code in want.split("|"))

    def starved_indeed(self):
        """Few long waits make a tail: the scheduler must have as much as the finding says of the longest."""
        return self.waited >= WAITED or self.waited_ns >= (self.evidence("cpu-starved", "runqueue_max_ns") or 1e18)

    def wrong(self, row):
        """Reasons, or none."""
        allowed = row.allow.split()
        faults = [f"not to be found: {code}" for code in self.codes if code not in allowed]
        faults += [f"missing: {want}" for want in row.must if not self.has(want)]
        for never in row.never:
            said = re.search(never, self.words, re.I | re.S)
            faults += [f"must not be said: {said.group()[:80]}"] if said else []
        if row.counts and self.report["exchanges"]["count"] != self.client["answered"]:
            faults.append(f"{self.report['exchanges']['count']} exchanges, "
                          f"{self.client['answered']} answers")
        return faults


# --- one row ---

def wait_for_attach(scope, log):
    end = time.monotonic() + LIMIT
    while "attached" not in open(log).read():
        if scope.poll() is not None or time.monotonic() > end:
            raise RuntimeError("epollscope: " + open(log).read()[:300])
        time.sleep(0.02)


def start_load(setup):
    row, kind = setup.row, setup.row.load[0].split()[0]
    lasts = row.seconds + 2 * row.before	# from before the attach, which takes a while, to the end
    if kind == "http2":
        command = ["node", f"{HERE}/http2.js", "load", setup.port, row.seconds, row.load[0].split()[1]]
    elif kind == "epollload":
        command = [f"{BUILD}/epollload", "--json", *row.load[0].split()[1:], "--duration",
                   f"{row.seconds}s", setup.port]
    elif kind == "client":
        command = [f"{LIVE}/client", "--port", setup.port, *json.loads(row.load[0].split(None, 1)[1])]
    else:
        command = ["python3", f"{HERE}/client.py", setup.port, lasts, *row.load]
    return setup.start(*command, stdout=subprocess.PIPE, text=True, cpu=CPUS[-1] if row.load_cpu else None)


def client_saw(load):
    out = load.communicate(timeout=60)[0]
    saw = json.loads(out)
    if "latency_ns" in saw:	# epollload
        saw = {"answered": saw["requests"]["answered"], **saw["latency_ns"]}
    elif "answers" in saw:	# client
        saw["answered"] = saw["answers"]
    return saw


def watch(setup):
    row, log = setup.row, os.path.join(setup.folder, "scope.err")
    target = ["-P", setup.port] if row.target == "port" else ["-p", ",".join(map(str, setup.pids))]
    load = None
    if row.before:
        load = start_load(setup)
        time.sleep(row.before)
    capture = os.path.join(setup.folder, "capture")
    command = [SCOPE, "report", "--json", "-o", capture, *target, *row.options.split()]
    scope = setup.start(*command, stdout=open(os.path.join(setup.folder, "report"), "w"),
                        stderr=open(log, "w"))
    wait_for_attach(scope, log)
    began, delay = time.monotonic(), run_delay(setup.served)
    if load:
        time.sleep(row.seconds)
        end_watch(scope, log)
        client = client_saw(load)
    else:
        before = setup.throttled_periods()
        client = client_saw(start_load(setup))
        time.sleep(0.1)
        setup.throttled = setup.throttled_periods() - before
        end_watch(scope, log)
    setup.waited_ns = run_delay(setup.served) - delay
    setup.waited = int(setup.waited_ns / (time.monotonic() - began) / 1e7)
    with open(os.path.join(setup.folder, "report")) as file:
        report = json.load(file)
    text = subprocess.run([SCOPE, "report", "-i", capture, *row.options.split()], capture_output=True,
                          text=True, check=False).stdout
    return Seen(report, text, client, setup)


def run_delay(pid):
    """ns that its threads waited for a processor, as the scheduler has it."""
    return sum(int(open(f"/proc/{pid}/task/{tid}/schedstat").read().split()[1])
               for tid in os.listdir(f"/proc/{pid}/task"))


def end_watch(scope, log):
    if scope.poll() is None:
        scope.send_signal(signal.SIGINT)
    if scope.wait(LIMIT) != 0:
        raise RuntimeError("epollscope ended: " + open(log).read()[:300])


def run_row(row, cpu, outcome):
    setup = Setup(row, cpu)
    try:
        setup.serve()
        setup.surround()
        time.sleep(0.1)
        outcome[row.name] = watch(setup)
    except CannotArrange as e:
        outcome[row.name] = e
    except Exception as e:	# whatever it is, the other rows go on
        outcome[row.name] = RuntimeError(f"{type(e).__name__}: {e}")
    finally:
        setup.end()


# --- side by side ---

def batches(rows):
    computing = [r for r in rows if r.computes]
    quiet = [r for r in rows if not r.computes and not r.alone]
    side = max(1, len(CPUS) - 1) if len(CPUS) > 2 else len(CPUS)
    for part, size in ((computing, side), (quiet, 4), ([r for r in rows if r.alone], 1)):
        for i in range(0, len(part), size):
            yield part[i:i + size]


def run_batch(batch):
    outcome = {}
    threads = [threading.Thread(target=run_row, args=(row, CPUS[0 if row.load_cpu else i % len(CPUS)], outcome))
               for i, row in enumerate(batch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


class Others:
    """What others took of the processors, as lib_machine.sh has it, of one processor."""

    def __init__(self):
        self.since = self.now()

    @staticmethod
    def now():
        with open("/proc/stat") as file:
            words = [int(word) for word in file.readline().split()[1:]]
        machine = (sum(words[:3]) + sum(words[5:8])) / os.sysconf("SC_CLK_TCK")
        ours = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
        return time.monotonic(), machine, sum(u.ru_utime + u.ru_stime for u in ours)

    def percent(self):
        wall, machine, ours = (now - then for now, then in zip(self.now(), self.since))
        return int(100 * (machine - ours) / max(wall, 0.1))


# --- verdicts ---

def reasons(row, seen):
    return [str(seen)] if isinstance(seen, Exception) else seen.wrong(row)


def judge(row, seen, others):
    """Prints the row's result; true unless it failed."""
    faults = reasons(row, seen)
    if isinstance(seen, CannotArrange):
        print(f"skip {row.name}: {seen}")
    elif not faults:
        print(f"ok {row.name}: {' '.join(seen.codes) or 'nothing said'}")
        if row.not_yet:
            print(f"# {row.name} is right: `not yet` can go")
    elif row.not_yet and isinstance(seen, Seen):
        print(f"skip {row.name}: not yet: {row.not_yet} ({'; '.join(faults)})")
    elif faults == ["not to be found: cpu-starved"] and (others >= OTHERS or seen.starved_indeed()):
        print(f"skip {row.name}: others had {others} % of a processor, the server waited for its own for "
              f"{seen.waited_ns / 1e6:.1f} ms, and it said so")
    else:
        said = "" if isinstance(seen, Exception) else f" Said: {seen.words}"
        print(f"not ok {row.name}: {'; '.join(faults)}.{said}")
        return False
    return True


def matrix(outcome):
    print("# case | found | exchanges | P99, ms")
    for name, seen in outcome.items():
        if isinstance(seen, Seen):
            p99 = seen.report["exchanges"]["latency_ns"]["p99"]
            found = [f"{f['code']} ({f['severity']})" for f in seen.report["diagnosis"]]
            print(f"# | {name} | {', '.join(found) or 'nothing'} | {seen.report['exchanges']['count']} | "
                  f"{'-' if p99 is None else round(p99 / 1e6, 2)} |")


def main():
    wanted = re.compile(sys.argv[1] if len(sys.argv) > 1 else ".")
    rows = [row for row in ROWS if wanted.search(row.name)]
    outcome, good = {}, True
    for batch in batches(rows):
        others = Others()
        seen = run_batch(batch)
        percent = others.percent()
        for row in batch:
            if reasons(row, seen[row.name]) and not row.not_yet and not isinstance(seen[row.name], CannotArrange):
                print(f"# {row.name}, once more: {'; '.join(reasons(row, seen[row.name]))}")
                others = Others()
                seen.update(run_batch([row]))
                percent = others.percent()
            good &= judge(row, seen[row.name], percent)
            sys.stdout.flush()
        outcome.update(seen)
        if os.environ.get("CASES_KEEP"):
            keep(seen)
    matrix(outcome)
    sys.exit(not good)


def keep(seen):
    for name, one in seen.items():
        if isinstance(one, Seen):
            with open(os.path.join(os.environ["CASES_KEEP"], name.replace(" ", "_").replace("/", "_")), "w") as f:
                f.write(one.text + json.dumps(one.report["diagnosis"], indent=1) + json.dumps(one.client) + "\n")


main()
