#define _GNU_SOURCE /* prlimit */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/str.h"
#include "spool/journal.h"
#include "spool/journal_read.h"

enum {
	VALUE_SIZE = 64,
	END_SIZE = 256 * 1024,
	EVENTS_LEAST = 4096,
	FILES_OF_A_CALLER = 4,
	FILES_BESIDE = 64
};

/* ---- limits -------------------------------------------------------------------------------- */

static void check_limit(
	struct doctor *doctor, const char *path, const char *shown, long needed, const char *text)
{
	long value = doctor_number(path);

	if (value < 0)
		doctor_unknown(doctor, shown, "the kernel does not tell");
	else if (value < needed)
		doctor_bad(doctor, text, shown, "is %ld; this configuration may need %ld", value,
			needed);
	else
		doctor_good(doctor, shown, "%ld; this configuration may need %ld", value, needed);
}

/* A getdcmtags for each connection, and each watcher, has an inotify instance; watches are for the
 * stages, the queues, and the batches that are being collected. */
static void check_inotify(struct doctor *doctor)
{
	const struct conf *conf = doctor->conf;
	const long routers = conf->router.instances, callers = conf->receiver.max_associations,
		   dispatchers = conf->dispatcher.instances, targets = (long)conf->target_count;

	check_limit(doctor, "/proc/sys/fs/inotify/max_user_instances",
		"fs.inotify.max_user_instances", callers + routers + dispatchers + 8,
		"connections beyond it are not filed, and watchers do not start; raise it in "
		"/etc/sysctl.d");
	check_limit(doctor, "/proc/sys/fs/inotify/max_user_watches", "fs.inotify.max_user_watches",
		2 * callers + (routers + dispatchers) * (64 + 4 * callers + 2 * targets),
		"what is not watched is only looked at from time to time; raise it in "
		"/etc/sysctl.d");
	check_limit(doctor, "/proc/sys/fs/inotify/max_queued_events",
		"fs.inotify.max_queued_events", EVENTS_LEAST,
		"events are lost, and whole stages looked at instead; raise it in /etc/sysctl.d");
}

/* Of the receiver; one that is started from here has ours. */
static void check_files(struct doctor *doctor)
{
	const long needed =
		doctor->conf->receiver.max_associations * FILES_OF_A_CALLER + FILES_BESIDE;
	struct rlimit limit;

	if (prlimit(doctor->receiver, RLIMIT_NOFILE, NULL, &limit) < 0)
		doctor_unknown(doctor, "open files", strerror(errno));
	else if (limit.rlim_cur < (rlim_t)needed)
		doctor_bad(doctor,
			"the receiver cannot take that many connections; set LimitNOFILE= in the "
			"unit, or ulimit -n before dcmspool up",
			"open files",
			"a process may have %llu; receiver.max_associations may need %ld",
			(unsigned long long)limit.rlim_cur, needed);
	else
		doctor_good(doctor, "open files", "%llu in a process; %ld may be needed",
			(unsigned long long)limit.rlim_cur, needed);
}

/* ---- clock --------------------------------------------------------------------------------- */

static void check_synchronised(struct doctor *doctor)
{
	struct timex clock = { 0 };
	int state = adjtimex(&clock);

	if (state < 0)
		doctor_unknown(doctor, "clock", strerror(errno));
	else if (state == TIME_ERROR)
		doctor_bad(doctor,
			"times of hours, pauses, certificates and the journal are wrong by as much "
			"as it drifts; install chrony or systemd-timesyncd",
			"clock", "is not synchronised");
	else
		doctor_good(doctor, "clock", "is synchronised");
}

/* The last line of the last day in the journal that has one; -1: there is none. */
static int64_t last_line_us(const struct spool *spool)
{
	struct journal_reader reader;
	struct disk_names names;
	json_t *line, *last = NULL;
	int64_t time_us = -1;
	struct stat st;

	if (disk_list(spool->dir[SPOOL_JOURNAL], ".", &names) < 0)
		return -1;
	journal_reader_open(&reader, spool, 0, 0);
	for (size_t i = names.count; i-- > 0 && !*reader.file;)
		if (journal_is_file(names.name[i]))
			(void)snprintf(reader.file, sizeof(reader.file), "%s", names.name[i]);
	if (fstatat(spool->dir[SPOOL_JOURNAL], reader.file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_size > END_SIZE)
		reader.offset = st.st_size - END_SIZE; /* within a line, which is skipped */
	while (*reader.file && journal_reader_next(&reader, &line) > 0) {
		json_decref(last);
		last = line;
	}
	if (last)
		time_us = journal_time_us(last);
	json_decref(last);
	journal_reader_close(&reader);
	disk_names_free(&names);
	return time_us;
}

static void check_journal(struct doctor *doctor)
{
	struct spool spool = { .path = doctor->conf->spool };
	struct buf path = { 0 };
	int64_t last_us = -1, now_us = clock_now_us();

	buf_printf(&path, "%s/%s", spool.path, spool_name(SPOOL_JOURNAL));
	spool.dir[SPOOL_JOURNAL] = path.failed ? -1 : disk_open_dir(AT_FDCWD, path.data);
	if (spool.dir[SPOOL_JOURNAL] >= 0) {
		last_us = last_line_us(&spool);
		(void)close(spool.dir[SPOOL_JOURNAL]); /* only used as a base */
	}
	buf_free(&path);
	if (last_us > now_us + INT64_C(60) * 1000000)
		doctor_bad(doctor,
			"it was set back, or was wrong then: what waits until a moment waits for "
			"longer, and jobs get names before older ones; set it right, by chrony",
			"clock", "is %lld s before the last line of the journal",
			(long long)((last_us - now_us) / 1000000));
	else if (last_us >= 0)
		doctor_good(doctor, "clock", "is not before the last line of the journal");
}

/* ---- other programs ------------------------------------------------------------------------ */

static const char tested[] = "with which everything is tested";

/* By dcmspool-association(8), which has more of it. */
static const struct {
	const char *version, *differs;
} versions[] = {
	{ "3.6.7", tested },
	{ "3.6.8", "which receives the same transfer syntaxes as 3.6.7" },
	{ "3.6.9", "which also receives HTJ2K and JPEG XL, and sees a full disk itself" },
	{ "3.7.0", "which also receives deflated image frame compression" },
};

/* "$dcmtk: storescp v3.6.7 2022-04-22 $" */
static void check_dcmtk(struct doctor *doctor)
{
	const char *const argv[] = { "storescp", "--version", NULL };
	struct buf said = { 0 };
	int status = doctor_run(argv, -1, &said);
	char version[VALUE_SIZE] = "";
	size_t i = 0;

	if (status == 127) {
		doctor_bad(doctor, "nothing can be received; apt install dcmtk", "storescp",
			"is not installed");
	} else if (status != 0 || sscanf(said.data, "$dcmtk: storescp v%63s", version) != 1) {
		doctor_unknown(doctor, "storescp", "it does not tell its version");
	} else {
		while (i < sizeof(versions) / sizeof(*versions) &&
			strcmp(versions[i].version, version) != 0)
			i++;
		if (i < sizeof(versions) / sizeof(*versions))
			doctor_good(doctor, "DCMTK", "%s, %s", version, versions[i].differs);
		else
			doctor_bad(doctor,
				"nobody has tried dcmspool with it; use 3.6.7 to 3.7.0, or try it "
				"with: make check",
				"DCMTK", "is of version %s", version);
	}
	buf_free(&said);
}

static bool wants_decompression(const struct conf *conf)
{
	for (size_t i = 0; i < conf->target_count; i++) {
		const char *value = conf_setting(&conf->target[i], "decompress");

		if (value && strcmp(value, "never") != 0)
			return true;
	}
	return false;
}

static bool has_type(const struct conf *conf, const char *type)
{
	for (size_t i = 0; i < conf->target_count; i++)
		if (strcmp(conf->target[i].type, type) == 0)
			return true;
	return false;
}

static void check_programs(struct doctor *doctor)
{
	const struct conf *conf = doctor->conf;
	const bool unpack = wants_decompression(conf),
		   web = has_type(conf, "dicomweb") || has_type(conf, "s3"),
		   shell = has_type(conf, "sftp") || has_type(conf, "rsync");
	const struct {
		const char *program, *text;
		bool needed;
	} programs[] = {
		{ "s6-svscan", "the router does not start; apt install s6", true },
		{ "stunnel4", "the port for TLS is not opened; apt install stunnel4",
			conf->receiver.tls_port != 0 },
		{ "curl", "dicomweb and s3 send nothing; apt install curl", web },
		{ "ssh", "sftp and rsync send nothing; apt install openssh-client", shell },
		{ "rsync", "rsync sends nothing; apt install rsync", has_type(conf, "rsync") },
		{ "dcmconv", "decompress has no effect; apt install dcmtk", unpack },
		{ "dcmdjpeg", "decompress has no effect on JPEG; apt install dcmtk", unpack },
		{ "dcmdjpls", "decompress has no effect on JPEG-LS; apt install dcmtk", unpack },
		{ "dcmdrle", "decompress has no effect on RLE; apt install dcmtk", unpack },
	};
	const size_t before = doctor->found.count;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (programs[i].needed && !doctor_has(programs[i].program))
			doctor_bad(
				doctor, programs[i].text, programs[i].program, "is not installed");
	if (doctor->found.count == before)
		doctor_good(doctor, "programs", "those of others that are needed are there");
}

void check_host(struct doctor *doctor)
{
	check_inotify(doctor);
	check_files(doctor);
	check_synchronised(doctor);
	check_journal(doctor);
	check_dcmtk(doctor);
	check_programs(doctor);
}
