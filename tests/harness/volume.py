"""volume: a file system of our own on a loop device, or in memory; needs root."""
import os
import subprocess

from driver import wait_for


def run(*words, good=(0,)):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if done.returncode not in good:
        raise RuntimeError(f'{words}: {done.returncode}: {done.stdout}{done.stderr}')
    return done.stdout.strip()


def unmount(path):
    return wait_for(lambda: subprocess.run(['umount', path], capture_output=True).returncode == 0, 20)


class Volume:
    """`make`: mkfs and its options; without it tmpfs with the options `size`. Used by `with`: then it goes."""

    def __init__(self, mounted, image, make, size):
        self.mounted, self.image = mounted, image
        mounted.mkdir(parents=True)
        if make:
            run('truncate', '-s', size, image)
            run(*make, image)
            self.mount()
        else:
            run('mount', '-t', 'tmpfs', '-o', size, 'tmpfs', mounted)

    def mount(self, image=None):
        # a clone has the UUID of the other, which the kernel may not have let go of yet
        xfs = run('blkid', '-o', 'value', '-s', 'TYPE', image or self.image) == 'xfs'
        run('mount', '-o', 'loop,nouuid' if xfs else 'loop', image or self.image, self.mounted)

    def unmount(self):
        return unmount(self.mounted)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if os.path.ismount(self.mounted):
            subprocess.run(['umount', '-l', self.mounted], capture_output=True)
