"""System calls: which of them change a tree, and which error each can give.

A crash point is a call of a recorded run that changes the tree: the program is killed before it (at its entry: the
call is not made) and after it (at the entry of whatever call comes next). Each call of the table gets, one at a time
and once, each error that it can give. No rows: close(2), since a call that fails by injection is not made, and a
descriptor that stays open keeps its lock, which no real failure does; brk(2), which tells a failure otherwise.
"""
import re

DISK = 'ENOSPC EDQUOT EIO EROFS EACCES ENOMEM'.split()
FULL = 'ENOSPC EDQUOT EIO'.split()
LOOK = 'EACCES EIO ENOMEM'.split()
DESCRIPTOR = 'EMFILE ENFILE ENOMEM'.split()

# Calls that change a tree whatever their arguments.
CHANGES = {
    **dict.fromkeys('mkdir mkdirat mknodat link linkat symlink symlinkat rename renameat renameat2'.split(), DISK),
    **dict.fromkeys('unlink unlinkat rmdir'.split(), 'EIO EROFS EACCES ENOMEM'.split()),
    **dict.fromkeys('ftruncate truncate fallocate'.split(), FULL),
    **dict.fromkeys('fsync fdatasync syncfs sync_file_range'.split(), FULL),
    **dict.fromkeys('copy_file_range sendfile'.split(), FULL + ['ENOMEM']),
    **dict.fromkeys('utimensat fchmod fchmodat chmod fchown fchownat setxattr fsetxattr'.split(),
                    'EIO EROFS EACCES ENOSPC'.split()),
}
CREATE = DISK + ['EMFILE', 'ENFILE']
WRITES = 'write writev pwrite64 pwritev pwritev2'.split()

# Calls that change nothing.
LOOKS = {
    'openat': ['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EIO'],
    **dict.fromkeys('access faccessat2 newfstatat lstat stat statx readlink readlinkat chdir fchdir statfs'.split(),
                    LOOK),
    **dict.fromkeys('fstat fstatfs getdents64'.split(), ['EIO', 'ENOMEM']),
    'flock': ['EINTR', 'ENOMEM'],
    **dict.fromkeys('pipe2 memfd_create timerfd_create signalfd4 socket inotify_init1 epoll_create1 dup3'.split(),
                    DESCRIPTOR),
    'accept4': DESCRIPTOR + ['EINTR'],
    'inotify_add_watch': ['ENOSPC', 'ENOMEM', 'EACCES'],
    'bind': ['EACCES', 'ENOMEM'],
    **dict.fromkeys('mmap clone clone3 vfork fork mremap'.split(), ['ENOMEM']),
    **dict.fromkeys('connect poll ppoll wait4 waitid'.split(), ['EINTR']),
    **dict.fromkeys('sendmsg sendto recvmsg recvfrom'.split(), ['EINTR', 'ENOMEM']),
}
READS = 'read pread64 readv preadv'.split()
ERRNO = {'ENOSPC': 'No space left', 'EDQUOT': 'quota exceeded', 'EIO': 'Input/output error',
         'EROFS': 'Read-only', 'EACCES': 'Permission denied|may not be read', 'ENOMEM': 'memory|Cannot allocate',
         'EMFILE': 'Too many open files', 'ENFILE': 'Too many open files', 'EINTR': 'Interrupted'}

FD = re.compile(r'\w+\((\d+)<(.*?)>')


class Call:
    """One call of a recorded run: the nth of its name."""

    def __init__(self, name, nth, line):
        self.name, self.nth, self.line = name, nth, line
        self.changes, self.errors = classify(name, line)


def classify(name, line):
    """Does the call change a tree, and the errors that it can give"""
    changes, errors = by_table(name, line)
    if re.search('WNOHANG|LOCK_NB|MSG_DONTWAIT', line):
        errors = [e for e in errors if e != 'EINTR']  # it does not sleep
    return changes, errors


def by_table(name, line):
    if name in CHANGES:
        return True, CHANGES[name]
    if name == 'openat' and ('O_CREAT' in line or 'O_TRUNC' in line) and '"/dev/' not in line:
        return True, CREATE
    if name in WRITES + READS:
        at = FD.match(line)
        number, path = (int(at[1]), at[2]) if at else (-1, '')
        if number == 2:
            return False, []
        regular = path.startswith('/') and not path.startswith(('/dev/', '/proc/', '/memfd:'))
        if path.startswith(('/dev/', '/memfd:')):
            return False, []
        if name in READS:
            return False, ['EIO'] if regular else ['EINTR']
        if number == 1:
            return False, FULL
        return regular, FULL if regular else ['EINTR']
    if name == 'openat' and '"/dev/' in line:
        return False, DESCRIPTOR
    if name == 'fcntl':
        return False, ['EMFILE'] if 'F_DUPFD' in line else []
    return False, LOOKS.get(name, [])


def parse(trace):
    """The calls of a program, from its own first one on: those of the dynamic linker are not ours. Of a script with
    its children (strace -f): each process counts for itself, and a fault strikes whoever comes to that number."""
    calls, count, linking, seen = [], {}, set(), set()
    for line in trace:
        found = re.match(r'(\d+ +)?(\w+)\(', line)
        if not found:
            continue
        pid, name = found[1], found[2]
        nth = count[pid, name] = count.get((pid, name), 0) + 1
        line = line[found.start(2):].rstrip()
        if name == 'execve' or (name == 'openat' and '/etc/ld.so.cache' in line):
            linking.add(pid)
        if pid in linking:
            linking -= {pid} if name == 'munmap' else set()
        elif (name, nth) not in seen:
            seen.add((name, nth))
            calls.append(Call(name, nth, line))
    return calls


class Point:
    """A call of which something happens: strace's injection, and what it is called in the table"""

    def __init__(self, call, fault, shown):
        self.call, self.fault, self.shown = call, fault, shown

    def inject(self):
        how = 'signal=KILL' if self.fault == 'kill' else 'error=' + self.fault
        return ['-e', 'trace=' + self.call.name, '-e', f'inject={self.call.name}:{how}:when={self.call.nth}']

    def __str__(self):
        return f'{self.fault} {self.shown}'


def points(calls, looks=True, steps=()):
    """Every crash point and every error of a run. steps: further calls to be killed at: a script's, whose children
    do the work."""
    found, killed = [], set()

    def kill(call, shown):
        if (call.name, call.nth) not in killed:
            killed.add((call.name, call.nth))
            found.append(Point(call, 'kill', shown))

    for call, following in zip(calls, calls[1:] + [None]):
        about = f'{call.name} {call.nth}: {call.line}'
        if call.changes or call.name in steps:
            kill(call, 'before ' + about)
            if following:
                kill(following, 'after ' + about)
        if call.changes or looks:
            found += [Point(call, error, 'at ' + about) for error in call.errors]
    return found
