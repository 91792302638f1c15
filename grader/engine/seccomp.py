"""A system call filter: what no notebook needs, and what has led out of sandboxes, is refused.

The list names what is denied, since a list of what numpy, torch and their kin may call would break
with each release of theirs. It is the last of several layers: namespaces and the lack of
capabilities already forbid most of it. What it adds is a smaller kernel to attack.
"""

import ctypes
import errno
import struct
from functools import cache

from grader.engine import linux

# Name: number on x86_64, on aarch64.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    # namespaces and mounts
    "chroot": (161, 51),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "listmount": (458, 458),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "pivot_root": (155, 41),
    "setns": (308, 268),
    "statmount": (457, 457),
    "umount2": (166, 39),
    "unshare": (272, 97),
    # other processes
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    # memory that no limit of a process counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "msgget": (68, 186),
    "semget": (64, 190),
    "shmget": (29, 194),
    # large and often attacked parts of the kernel
    "add_key": (248, 217),
    "bpf": (321, 280),
    "fanotify_init": (300, 262),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "request_key": (249, 218),
    "userfaultfd": (323, 282),
    # the machine
    "_sysctl": (156, None),
    "acct": (163, 89),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None),
    "nfsservctl": (180, 42),
    "personality": (135, 92),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sysfs": (139, None),
    "syslog": (103, 116),
    "uselib": (134, None),
    "ustat": (136, None),
    "vhangup": (153, 58),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_IOCTL, _PRCTL = (16, 29), (157, 167)
_SETRLIMIT, _PRLIMIT = (160, 164), (302, 261)
_SOCKET, _SOCKETPAIR = (41, 198), (53, 199)
_FIRST_UNREVIEWED = 467  # newer calls do not exist here; libraries then take the older one

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag that clone knows
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_RLIMIT_CORE = 4

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_SET_MODE_FILTER = 1

# One instruction: code, jump if true, jump if false, operand.
Instruction = tuple[int, int, int, int]


def _answer(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)


def _if(test: int, operand: int, then: list[Instruction]) -> list[Instruction]:
    return [(test, 0, len(then), operand), *then]


def _argument(index: int) -> Instruction:
    """Load the low half of an argument: the kernel itself reads no more of those tested here."""
    return (_LOAD, 0, 0, 16 + 8 * index)


_REFUSE = _answer(_ERROR | errno.EPERM)
_NO_SUCH_CALL = _answer(_ERROR | errno.ENOSYS)
_SILENTLY_NOTHING = _answer(_ERROR)
_PASS = _answer(_ALLOW)


def _on_first_argument(test: int, values: tuple[int, ...], then: Instruction) -> list[Instruction]:
    tests = [step for value in values for step in _if(test, value, [then])]
    return [_argument(0), *tests, _PASS]


def _special(which: int) -> list[tuple[int, list[Instruction]]]:
    """The calls that are judged by their arguments; each list ends with an answer."""
    families = [step for f in (_UNIX, _INET, _INET6) for step in _if(_IF_EQUAL, f, [_PASS])]
    # The routing family lists the interfaces; its other protocols reach far into the kernel.
    routing = _if(_IF_EQUAL, _NETLINK, [_argument(2), *_if(_IF_EQUAL, 0, [_PASS])])
    no_such_family = _answer(_ERROR | errno.EAFNOSUPPORT)
    terminal = [s for c in (_TIOCSTI, _TIOCLINUX) for s in _if(_IF_EQUAL, c, [_REFUSE])]
    # A new limit is given where the pointer, either half of it, is not 0.
    limit = [(_LOAD, 0, 0, 32), *_if(_IF_AT_LEAST, 1, [_REFUSE])]
    limit += [(_LOAD, 0, 0, 36), *_if(_IF_AT_LEAST, 1, [_REFUSE])]
    return [
        (_CLONE[which], _on_first_argument(_IF_ANY_BIT, (_NEW_NAMESPACES,), _REFUSE)),
        # Its flags lie behind a pointer, which a filter cannot follow; libc falls back to clone.
        (_CLONE3[which], [_NO_SUCH_CALL]),
        (_SOCKET[which], [_argument(0), *families, *routing, no_such_family]),
        (_SOCKETPAIR[which], [_argument(0), *_if(_IF_EQUAL, _UNIX, [_PASS]), no_such_family]),
        (_IOCTL[which], [_argument(1), *terminal, _PASS]),
        # The kernel must die with its monitor. Libraries ask for a death signal and want success.
        (
            _PRCTL[which],
            _on_first_argument(_IF_EQUAL, (linux.PR_SET_PDEATHSIG,), _SILENTLY_NOTHING),
        ),
        # A changed core limit would let a crash write the memory to the host's disk.
        (_SETRLIMIT[which], _on_first_argument(_IF_EQUAL, (_RLIMIT_CORE,), _REFUSE)),
        (_PRLIMIT[which], [_argument(1), *_if(_IF_EQUAL, _RLIMIT_CORE, limit), _PASS]),
    ]


@cache
def program(machine: str) -> bytes:
    """The filter for one machine, as an array of struct sock_filter."""
    which = list(_ARCHITECTURES).index(machine)
    steps: list[Instruction] = [(_LOAD, 0, 0, 4)]
    steps += [(_IF_EQUAL, 1, 0, _ARCHITECTURES[machine]), _answer(_KILL), (_LOAD, 0, 0, 0)]
    if machine == "x86_64":
        steps += _if(_IF_AT_LEAST, _X32_BIT, [_REFUSE])
    steps += _if(_IF_AT_LEAST, _FIRST_UNREVIEWED, [_NO_SUCH_CALL])
    for number, then in _special(which):
        steps += _if(_IF_EQUAL, number, then)
    for numbers in _DENIED.values():
        if (number_here := numbers[which]) is not None:
            steps += _if(_IF_EQUAL, number_here, [_REFUSE])
    steps.append(_PASS)
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def install() -> None:
    """Filter this process and its descendants for good; it needs no_new_privs or a capability."""
    code = program(linux.machine())
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    described = Program(len(code) // 8, ctypes.addressof(buffer))
    linux.syscall("seccomp", _SET_MODE_FILTER, 0, ctypes.byref(described))
