#define _DEFAULT_SOURCE /* ST_RDONLY is POSIX, statfs(2) is not */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/disk.h"
#include "spool/spool.h"

enum { TRIAL_SIZE = 64, INODES_LEAST = 100000, PERCENT = 100 };

static const char network[] =
	"a rename there is not seen by all at once, and locks and events may be "
	"missing; move the spool to a local file system (ext4, xfs, btrfs)";
static const char volatile_one[] = "a power failure takes all images; "
				   "move the spool to a disk (ext4, xfs, btrfs)";
static const char layered[] = "a folder of a lower layer cannot be renamed; "
			      "give the container a volume for the spool";
static const char no_links[] = "it has no hard links, so that nothing can be routed; "
			       "move the spool to ext4, xfs or btrfs";
static const char strange[] = "nobody has tried it with dcmspool; "
			      "prefer ext4, xfs or btrfs, or try it with: make torture";

/* statfs(2); text: NULL: it is fit. */
static const struct {
	unsigned long magic;
	const char *name, *text;
} systems[] = {
	{ 0xef53, "ext4", NULL },
	{ 0x58465342, "xfs", NULL },
	{ 0x9123683e, "btrfs", NULL },
	{ 0x01021994, "tmpfs", volatile_one },
	{ 0x858458f6, "ramfs", volatile_one },
	{ 0x794c7630, "overlayfs", layered },
	{ 0x6969, "NFS", network },
	{ 0x517b, "SMB", network },
	{ 0xff534d42, "CIFS", network },
	{ 0xfe534d42, "SMB", network },
	{ 0x65735546, "FUSE", network },
	{ 0x00c36400, "Ceph", network },
	{ 0x0bd00bd0, "Lustre", network },
	{ 0x01021997, "9p", network },
	{ 0x6a656a63, "virtiofs", network },
	{ 0x7461636f, "OCFS2", network },
	{ 0x01161970, "GFS2", network },
	{ 0x4d44, "FAT", no_links },
	{ 0x2011bab0, "exFAT", no_links },
};

static void check_system(struct doctor *doctor)
{
	const char *spool = doctor->conf->spool;
	struct statfs st;
	size_t i = 0;

	if (statfs(spool, &st) < 0) {
		doctor_unknown(doctor, spool, strerror(errno));
		return;
	}
	while (i < sizeof(systems) / sizeof(*systems) &&
		systems[i].magic != (unsigned long)(unsigned int)st.f_type)
		i++;
	if (i == sizeof(systems) / sizeof(*systems))
		doctor_bad(doctor, strange, spool, "is a file system of type 0x%x",
			(unsigned)st.f_type);
	else if (systems[i].text)
		doctor_bad(doctor, systems[i].text, spool, "is on %s", systems[i].name);
	else
		doctor_good(doctor, spool, "is on %s", systems[i].name);
}

/* ---- what every step relies on ------------------------------------------------------------- */

/* In an own directory; returns what does not work, or NULL. */
static const char *try_all(int dir)
{
	int lock = -1, other = -1, file = -1;
	const char *wrong = NULL;

	file = openat(dir, "a", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0 || disk_write_all(file, "a", 1) < 0 || fsync(file) < 0)
		wrong = "writing a file";
	else if (linkat(dir, "a", dir, "b", 0) < 0)
		wrong = "a hard link";
	else if (disk_rename(dir, "b", dir, "c") < 0 || disk_rename(dir, "a", dir, "c") == 0)
		wrong = "renameat2(2) that takes no name that is taken";
	else if (disk_make_dir(dir, "d") < 0 || disk_rename(dir, "d", dir, "e") < 0)
		wrong = "the rename of a directory";
	else if ((lock = disk_lock_dir(dir, "e", LOCK_EX | LOCK_NB)) < 0 ||
		 (other = disk_lock_dir(dir, "e", LOCK_EX | LOCK_NB)) >= 0)
		wrong = "flock(2) of a directory";
	else if (fsync(dir) < 0)
		wrong = "fsync(2) of a directory";
	if (lock >= 0)
		(void)close(lock); /* releases the lock, here and below */
	if (other >= 0)
		(void)close(other);
	if (file >= 0)
		(void)close(file); /* synced */
	return wrong;
}

/* What begins with a dot in incoming/ is nobody's. */
static void check_calls(struct doctor *doctor)
{
	static const char *const files[] = { "a", "b", "c" }, *const dirs[] = { "d", "e" };
	const char *wrong = "making a directory in incoming/";
	char trial[TRIAL_SIZE];
	int root = disk_open_dir(AT_FDCWD, doctor->conf->spool), incoming = -1, dir = -1, saved;

	if (root >= 0)
		incoming = disk_open_dir(root, spool_name(SPOOL_INCOMING));
	(void)snprintf(trial, sizeof(trial), ".doctor.%ld", (long)getpid());
	if (incoming >= 0 && disk_make_dir(incoming, trial) == 0)
		dir = disk_open_dir(incoming, trial);
	if (dir >= 0)
		wrong = try_all(dir);
	saved = errno;
	for (size_t i = 0; dir >= 0 && i < sizeof(files) / sizeof(*files); i++)
		(void)disk_unlink(dir, files[i]); /* those that there are */
	for (size_t i = 0; dir >= 0 && i < sizeof(dirs) / sizeof(*dirs); i++)
		(void)unlinkat(dir, dirs[i], AT_REMOVEDIR); /* the same */
	if (dir >= 0) {
		(void)close(dir);                              /* only used as a base */
		(void)unlinkat(incoming, trial, AT_REMOVEDIR); /* else it lies there, nobody's */
	}
	if (incoming >= 0)
		(void)close(incoming); /* only used as a base, here and below */
	if (root >= 0)
		(void)close(root);
	if (!wrong)
		doctor_good(doctor, doctor->conf->spool,
			"rename, hard link, flock and fsync do what every step relies on");
	else if (saved == EACCES || saved == ENOENT || saved == EROFS || saved == ENOSPC)
		doctor_unknown(doctor, doctor->conf->spool, strerror(saved));
	else
		doctor_bad(doctor,
			"the spool cannot do its work there; move it to a local file system "
			"(ext4, xfs, btrfs)",
			doctor->conf->spool, "%s fails: %s", wrong, strerror(saved));
}

/* ---- owner and room ------------------------------------------------------------------------ */

static void check_owner(struct doctor *doctor)
{
	const char *spool = doctor->conf->spool;
	struct stat st;

	if (stat(spool, &st) < 0) {
		doctor_bad(doctor,
			"there is no place for images; make it with: dcmspool layout, as the user "
			"who is to run dcmspool",
			spool, "cannot be seen: %s", strerror(errno));
		return;
	}
	if (st.st_uid == 0)
		doctor_bad(doctor,
			"what strangers send is read with the rights of root; give it to a user of "
			"its own: chown -R dcmspool",
			spool, "belongs to root");
	if (st.st_mode & S_IRWXO)
		doctor_bad(doctor,
			"everybody on this host can see images and names of patients; "
			"chmod o-rwx it",
			spool, "is open to all users (mode %03o)", (unsigned)st.st_mode & 0777);
	if (st.st_uid != 0 && !(st.st_mode & S_IRWXO))
		doctor_good(doctor, spool, "belongs to %s, and is closed to others",
			doctor_user(st.st_uid));
}

static void check_room(struct doctor *doctor)
{
	const char *spool = doctor->conf->spool;
	const long mark = doctor->conf->receiver.min_free_mb;
	struct statvfs st;
	long long free_mb;

	if (statvfs(spool, &st) < 0) {
		doctor_unknown(doctor, spool, strerror(errno));
		return;
	}
	free_mb = (long long)st.f_bavail * (long long)st.f_frsize / 1048576;
	if (st.f_flag & ST_RDONLY)
		doctor_bad(doctor, "nothing can be received; mend the disk, then mount it anew",
			spool, "is mounted read-only");
	if (free_mb < mark)
		doctor_bad(doctor,
			"callers are refused; make room: find what is large with du, shorten "
			"cleaner.retention, or look into error/",
			spool, "has %lld MB free, less than receiver.min_free (%ld MB)", free_mb,
			mark);
	else if (free_mb < 2 * mark)
		doctor_bad(doctor,
			"below the mark callers are refused; make room: find what is large with "
			"du, shorten cleaner.retention, or look into error/",
			spool, "has %lld MB free, less than twice receiver.min_free (%ld MB)",
			free_mb, mark);
	else
		doctor_good(doctor, spool, "%lld MB are free; callers are refused below %ld MB",
			free_mb, mark);
	if (st.f_files == 0)
		doctor_good(doctor, spool, "its inodes are not limited");
	else if (st.f_favail < INODES_LEAST)
		doctor_bad(doctor,
			"each image is a file, and at each target a link; make room, or make a "
			"file system with more inodes (mkfs.ext4 -i)",
			spool, "has %llu inodes left", (unsigned long long)st.f_favail);
	else
		doctor_good(doctor, spool, "%llu inodes are free (%llu %%)",
			(unsigned long long)st.f_favail,
			(unsigned long long)(st.f_favail * PERCENT / st.f_files));
}

void check_place(struct doctor *doctor)
{
	const size_t before = doctor->found.count;

	check_owner(doctor);
	if (doctor->found.count > before && access(doctor->conf->spool, F_OK) < 0)
		return; /* there is none */
	check_system(doctor);
	check_calls(doctor);
	check_room(doctor);
}
