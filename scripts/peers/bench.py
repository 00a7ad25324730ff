"""What bench-peers and bench-growth share: the environment, the builds, processes under measurement. Standard library only."""

import contextlib
import hashlib
import json
import os
import pathlib
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "scripts" / "peers"
# The newest on PyPI on 2026-11-20, all wheels: Python 3.11 or newer.
REQUIREMENTS = [
    "numpy==2.4.6",
    "scipy==1.17.1",
    "scikit-learn==1.9.1",
    "scikit-activeml==1.0.1",
    "hdbscan==0.8.44",
    # what those bring along, pinned as well
    "joblib==1.6.0",
    "threadpoolctl==3.8.0",
]


def say(text):
    print(text, file=sys.stderr, flush=True)


def die(text, *help_lines, code=2):
    name = pathlib.Path(sys.argv[0]).name
    say(f"{name}: error: {text}")
    for line in help_lines:
        say(f"  help: {line}")
    raise SystemExit(code)


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("HOME") and os.path.join(os.environ["HOME"], ".cache"))
    if not home:
        die("neither HOME nor XDG_CACHE_HOME is set", "set XDG_CACHE_HOME to a folder of yours with 2 GB free")
    return pathlib.Path(home) / "hybridrepair"


def environment():
    """The python of the environment with the pinned peers; made when it is not there yet."""
    if sys.version_info < (3, 11):
        die(f"Python {platform.python_version()} is too old for the pinned peers", "run with Python 3.11 or newer")
    pins = "\n".join(REQUIREMENTS)
    key = hashlib.sha256(f"{sys.version_info[:2]} {platform.machine()} {pins}".encode()).hexdigest()[:12]
    home = cache() / f"peers-{key}"
    python = home / "bin" / "python"
    if (home / ".complete").exists() and python.exists():
        return python
    say(f"making the environment of the peers in {home} (about 150 MB to download)")
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", home], check=True, stdout=sys.stderr)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    if subprocess.run([*pip, *REQUIREMENTS], stdout=sys.stderr).returncode:
        die("the peers could not be installed", "see pip's message above; a proxy or an index is set with PIP_INDEX_URL", code=1)
    (home / ".complete").touch()
    return python


def target():
    folder = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or "target")
    return folder if folder.is_absolute() else ROOT / folder


def cargo(*words):
    tool = shutil.which("cargo") or os.path.expanduser("~/.cargo/bin/cargo")
    if not os.path.exists(tool):
        die("cargo is missing", "install Rust from https://rustup.rs")
    if subprocess.run([tool, "build", "--release", "--quiet", *words], cwd=ROOT, stdout=sys.stderr).returncode:
        die("the build failed", "see the compiler's message above", code=1)


def thread_settings(threads):
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "NUMBA_NUM_THREADS"]
    return {**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONHASHSEED": "0"}


def available_bytes():
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


class Ended(Exception):
    """A process that gave no result: the reason in words, and what it had used."""

    def __init__(self, why, used=None):
        super().__init__(why)
        self.used = used or {}


def measure(command, threads, limit, memory=None):
    """Runs a command and says what it printed and used. Raises Ended.

    `memory` bounds its address space, so that a greedy process gets an error instead of ending its neighbours.
    """

    def bound():
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        words = [str(word) for word in command]
        # a group of its own, so that what it starts ends with it
        child = subprocess.Popen(
            words, stdout=out, stderr=err, env=thread_settings(threads), preexec_fn=bound, start_new_session=True
        )
        late = threading.Event()

        def stop():
            late.set()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

        clock = threading.Timer(limit, stop)
        clock.start()
        try:
            status, used = os.wait4(child.pid, 0)[1:]
        except BaseException:
            stop()
            child.wait()
            raise
        finally:
            clock.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    found = {
        "stdout": texts[0],
        "process_seconds": wall,
        "process_processor_seconds": used.ru_utime + used.ru_stime,
        "process_peak_bytes": used.ru_maxrss * 1024,
    }
    if late.is_set():
        raise Ended(f"not done after {limit:.0f} s", found)
    if child.returncode:
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit {child.returncode}"
        raise Ended(reason([line.strip() for line in texts[1].splitlines() if line.strip()]) or how, found)
    return found


def reason(lines):
    """Of an error's text what tells most: our own `error:` line with its help, or the last line of a Python traceback."""
    ours = [line for line in lines if "error: " in line or line.startswith("help: ")]
    return " ".join(ours or lines[-1:])


def one_json(command, threads, limit, memory=None):
    """The last line of a command's output, as JSON, with what the whole process used beside it."""
    found = measure(command, threads, limit, memory)
    return {**json.loads(found.pop("stdout").strip().splitlines()[-1]), **found}


def machine(threads):
    model = platform.machine()
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def first_line(*command):
        with contextlib.suppress(OSError, subprocess.SubprocessError, IndexError):
            return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()[0]
        return "unknown"

    changed = first_line("git", "status", "--porcelain", "--untracked-files=no") != "unknown"
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_gib": round(pages / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "rustc": first_line(shutil.which("rustc") or os.path.expanduser("~/.cargo/bin/rustc"), "--version"),
        "commit": first_line("git", "rev-parse", "--short", "HEAD") + (" with changes" if changed else ""),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def describe(machine):
    m = machine
    return (
        f"Machine: {m['cores']} cores ({m['processor']}), {m['memory_gib']} GiB, {m['system']}; {m['threads']} threads for both"
        f" sides; {m['rustc']}; Python {m['python']}; commit {m['commit']}; load before the run {m['load_at_start']}."
    )


class Record:
    """What was measured so far, kept in a JSON file after every part, so that a run that was stopped goes on where it
    stood and parts can be measured one by one. `setup` is what all parts must share; each part notes the run it is of."""

    def __init__(self, file, setup, key, again):
        self.file, self.key, self.again = file and pathlib.Path(file), key, again
        # as it comes back from the file
        self.data = {"setup": json.loads(json.dumps(setup)), "runs": [], "rows": []}
        if self.file and self.file.exists():
            try:
                found = json.loads(self.file.read_text())
                before = found["setup"]
            except (ValueError, KeyError, TypeError):
                die(f"{file} is no record of this script", "name another --json FILE", code=4)
            for name, value in self.data["setup"].items():
                if before.get(name) != value:
                    die(
                        f"{file} was measured with {name} = {json.dumps(before.get(name))}, this run has {json.dumps(value)}",
                        "name another --json FILE, or remove this one",
                    )
            self.data = found

    def has(self, **part):
        """Whether a part is there and need not be measured again."""
        return not self.again and any(self.key(row) == tuple(part.values()) for row in self.data["rows"])

    def run(self, about):
        """Starts a run on this machine, now."""
        self.data["runs"].append(about)

    def add(self, row):
        """Takes the place of an earlier measurement of the same part."""
        row["run"] = len(self.data["runs"]) - 1
        self.data["rows"] = [old for old in self.data["rows"] if self.key(old) != self.key(row)] + [row]
        if self.file:
            new = self.file.with_name(self.file.name + ".new")
            new.write_text(json.dumps(self.data, indent=1) + "\n")
            new.replace(self.file)

    def used_runs(self):
        """The runs of which a part is left, with their numbers."""
        used = {row["run"] for row in self.data["rows"]}
        return [(at, about) for at, about in enumerate(self.data["runs"]) if at in used]


def digest(file):
    """The first digits of a file's SHA-256."""
    with open(file, "rb") as bytes_of:
        return hashlib.file_digest(bytes_of, "sha256").hexdigest()[:16]


def table(head, rows):
    """A Markdown table; `head` has (title, alignment)."""
    lines = ["| " + " | ".join(title for title, _ in head) + " |"]
    lines.append("|" + "|".join({"l": " --- ", "r": " ---: "}[align] for _, align in head) + "|")
    return "\n".join(lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows])


def seconds(value):
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def mib(value):
    return f"{value / 2**20:.0f}"
