/*
 * storescp-write.so: preloaded (LD_PRELOAD, ld.so(8)) into the storescp that dcmspool-association
 * starts, or the receiver to wait for connections (park.c), and into nothing else. It makes an
 * answer to the sender mean what it says.
 *
 * Acknowledged is a rename (STATES.md 3): before the status of a C-STORE-RSP leaves that is a
 * success or a warning, the image that was closed last, <file>, becomes <file>.ok. So whoever finds
 * that name knows the image is whole, and an image without it was never acknowledged. DCMTK 3.6.7
 * closes the file, then write(2)s the head of a P-DATA-TF PDU, then the command set
 * (DIMSE_storeProvider() in dimstore.cc, dulfsm.cc); the answer is read from these bytes, which are
 * storescp's own: no sender can make it say anything.
 *
 * It also holds storescp to deadlines, by alarm(2), whatever it waits for: ANSWER_S for its answer
 * to the request; then DCMSPOOL_STORESCP_SILENCE seconds without a byte on the connection;
 * FAREWELL_S after it has rejected, released or aborted (PS3.8 9.2.3, ARTIM): DCMTK 3.6.7 waits 30
 * s for a peer that does not hang up, and longer. By then it has nothing more to say, and ends
 * well.
 *
 * And it answers gethostid(3), which DCMTK asks for in each connection: without /etc/hostid glibc
 * resolves the host's own name for it (2.36, gethostid.c), which waits for the name server.
 *
 * What cannot be written ends storescp, at once and before any answer, so the sender keeps the
 * image. Left to itself, on a full disk
 *   fclose(3) writes what is left in the buffer, up to a page, and its result is ignored
 *     (OFFile::fclose() in offile.cc, ~DcmFileConsumer() in dcostrmf.cc, DIMSE_storeProvider()):
 *     storescp answers 0000 for an image whose end, or all of it, is missing;
 *   fwrite(3) that fails at the last part of an image is noticed, but then storescp waits for more
 *     parts until its time-out (DIMSE_receiveDataSetInFile(), DIMSE_ignoreDataSet() in dimse.cc),
 * and the sender for an answer.
 */
#define _GNU_SOURCE /* RTLD_NEXT, renameat2, memmem */
#include "guard.h"

#include "receive/storescp.h"
#include "spool/assoc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_S = 30, FAREWELL_S = 5 };
enum { SIGNALLED = 128 }; /* RUN_SIGNALLED */

/* PS3.8 9.3.1, 9.3.5, E.2; PS3.7 6.3.1, 9.3.1.2, E.1 */
enum { ACCEPT = 2, REJECT = 3, P_DATA = 4, RELEASED = 6, ABORT = 7 };
enum { PDU_HEAD = 6, PDV_HEAD = 6, PDV_COMMAND = 1, PDV_LAST = 2 };
enum { ELEMENT_HEAD = 8, COMMAND_FIELD = 0x0100, STATUS = 0x0900, C_STORE_RSP = 0x8001 };

/* Where the bytes that have gone to the sender end. */
struct sent {
	unsigned char head[ELEMENT_HEAD]; /* of a PDU, PDV or element: what there is of it */
	unsigned char element[ELEMENT_HEAD];
	unsigned int head_bytes, element_bytes;
	unsigned char type, control;
	uint32_t pdu, pdv, value;   /* bytes that are still to come of it */
	unsigned int number, shift; /* the value, as far as it is a number of two bytes */
	unsigned int command;       /* of this message */
	bool done;                  /* what its status demands */
};

static struct sent sent;
int guard_log = -1;
static unsigned int silence_s;         /* 0: there is no association, or none any more */
static volatile sig_atomic_t farewell; /* it has nothing more to say */
static char closed[NAME_MAX + 1]; /* the image that was closed last, if it is not answered yet */

static bool is_image(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

static _Noreturn void give_up(const char *what, int error)
{
	if (guard_log >= 0) /* else the exit status has to tell it alone */
		(void)dprintf(guard_log,
			"%s: %s; "
			"the connection ends without an answer to it, so the sender keeps it; "
			"make room in the spool\n",
			what, strerror(error));
	park_tell(GUARD_FAILED);
	_exit(GUARD_FAILED);
}

void guard_find_next(const char *name, void *function, size_t size)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		_exit(GUARD_BUG);
	memcpy(function, &symbol, size);
}

/* storescp stays in its working directory, which is where its images are. */
static void note_closed(int fd)
{
	char link[32], path[PATH_MAX];
	const char *slash;
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd); /* fits */
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		give_up("unable to mark the image being received", errno);
	path[n] = '\0';
	slash = strrchr(path, '/');
	n = snprintf(closed, sizeof(closed), "%s", slash ? slash + 1 : path);
	if ((size_t)n >= sizeof(closed))
		give_up("unable to mark the image being received", ENAMETOOLONG);
}

static void acknowledge(void)
{
	char name[sizeof(closed) + sizeof(ASSOC_OK)];

	(void)snprintf(name, sizeof(name), "%s" ASSOC_OK, closed); /* fits */
	if (!*closed)
		errno = ENOENT;
	if (!*closed || renameat2(AT_FDCWD, closed, AT_FDCWD, name, RENAME_NOREPLACE) < 0)
		give_up("unable to mark the image being received", errno);
}

static void answered(struct sent *s, unsigned int status)
{
	if (s->done)
		return;
	if (status == 0 || status >> 12 == 0xb)
		acknowledge();
	closed[0] = '\0'; /* a refused image is storescp's to delete */
	s->done = true;
}

/* Collects the bytes of a head; true when it is whole. */
static bool collect(unsigned char *head, unsigned int *have, unsigned int size, unsigned char byte)
{
	head[(*have)++] = byte;
	if (*have < size)
		return false;
	*have = 0;
	return true;
}

static uint32_t big(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t little(const unsigned char *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void leave(int number)
{
	int status = farewell ? 0 : SIGNALLED + number;

	park_tell(status);
	_exit(status);
}

/* On a local socket (relay.h, stunnel's) DCMTK takes the failure of this option for one of the
 * connection (3.6.7, dul.cc, receiveTransportConnectionTCP()), unless it is told not to set it. */
static void set_no_delay(int connection)
{
	socklen_t length = sizeof(int);
	int on;
	bool known = getsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0;

	(void)setenv("TCP_NODELAY", known ? "1" : "0", 1); /* out of memory: see above */
}

void guard_begin(int connection)
{
	set_no_delay(connection);
	(void)signal(SIGALRM, leave); /* whoever started us may ignore it */
	(void)alarm(ANSWER_S);
}

__attribute__((constructor)) static void open_guard(void)
{
	const char *log = getenv(STORESCP_LOG);

	guard_log = log ? (int)strtol(log, NULL, 10) : -1;
	if (!park_is_asked())
		guard_begin(STDIN_FILENO);
}

/* A PDU has gone. */
static void said(unsigned char type)
{
	const char *silence = getenv("DCMSPOOL_STORESCP_SILENCE");

	if (type == ACCEPT) {
		silence_s = silence ? (unsigned int)strtoul(silence, NULL, 10) : 0;
		(void)alarm(silence_s);
	} else if (type == REJECT || type == RELEASED || type == ABORT) {
		silence_s = 0;
		farewell = true;
		(void)alarm(FAREWELL_S);
	}
}

/* A byte of a command set: implicit little endian, tags ascending. */
static void take_command(struct sent *s, unsigned char byte)
{
	uint32_t tag;

	if (s->value == 0) {
		if (collect(s->element, &s->element_bytes, ELEMENT_HEAD, byte))
			s->value = little(s->element + 4);
		s->number = s->shift = 0;
		return;
	}
	if (s->shift < 16)
		s->number |= (unsigned int)byte << s->shift;
	s->shift += 8;
	if (--s->value > 0)
		return;
	tag = (uint32_t)s->element[1] << 24 | (uint32_t)s->element[0] << 16 |
	      (uint32_t)s->element[3] << 8 | s->element[2];
	if (tag == COMMAND_FIELD)
		s->command = s->number;
	if (tag == STATUS && s->command == C_STORE_RSP)
		answered(s, s->number);
}

static void take(struct sent *s, unsigned char byte)
{
	if (s->pdu == 0) {
		if (!collect(s->head, &s->head_bytes, PDU_HEAD, byte))
			return;
		s->type = s->head[0];
		s->pdu = big(s->head + 2);
		return;
	}
	if (--s->pdu == 0)
		said(s->type);
	if (s->type != P_DATA)
		return;
	if (s->pdv == 0) {
		if (!collect(s->head, &s->head_bytes, PDV_HEAD, byte))
			return;
		s->pdv = big(s->head) - 2;
		s->control = s->head[5];
		return;
	}
	s->pdv--;
	if (s->control & PDV_COMMAND)
		take_command(s, byte);
	if (s->pdv == 0 && (s->control & PDV_LAST)) { /* the next message */
		s->element_bytes = s->value = s->command = 0;
		s->done = false;
	}
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

ssize_t read(int fd, void *data, size_t length)
{
	static ssize_t (*next)(int, void *, size_t);
	ssize_t got;

	if (!next)
		guard_find_next("read", &next, sizeof(next));
	got = next(fd, data, length);
	if (got > 0 && silence_s > 0 && is_socket(fd))
		(void)alarm(silence_s);
	return got;
}

/* Any number of the machine's own does: DCMTK makes file names unique with it. */
long gethostid(void)
{
	char id[64] = "";
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	uint32_t hash = 2166136261; /* FNV-1a */

	if (fd < 0 || pread(fd, id, sizeof(id) - 1, 0) <= 0)
		(void)gethostname(id, sizeof(id) - 1);
	if (fd >= 0)
		(void)close(fd); /* only read from */
	for (const char *c = id; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619;
	return (long)hash;
}

ssize_t write(int fd, const void *data, size_t length)
{
	static ssize_t (*next)(int, const void *, size_t);
	const struct sent before = sent;
	const unsigned char *bytes = data;
	ssize_t written;
	bool done;

	if (!next)
		guard_find_next("write", &next, sizeof(next));
	if (!is_socket(fd))
		return next(fd, data, length);
	for (size_t i = 0; i < length; i++)
		take(&sent, bytes[i]);
	written = next(fd, data, length);
	if (written == (ssize_t)length)
		return written;
	done = sent.done; /* the rest comes again, and with it perhaps the status */
	sent = before;
	sent.done = done;
	for (ssize_t i = 0; i < written; i++)
		take(&sent, bytes[i]);
	return written;
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *file)
{
	static size_t (*next)(const void *, size_t, size_t, FILE *);
	size_t written;

	if (!next)
		guard_find_next("fwrite", &next, sizeof(next));
	written = next(data, size, count, file);
	if (written < count && is_image(fileno(file)))
		give_up("unable to write the image being received", errno);
	return written;
}

/* The SOPInstanceUID that the meta header of a file names (PS3.10 7.1): explicit little endian. */
static bool instance_of(const char *path, char uid[65])
{
	static const char tag[] = { 2, 0, 3, 0, 'U', 'I' };
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char head[1024] = "";
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head) - 80, 0);
	const char *at = n > 0 ? memmem(head, (size_t)n, tag, sizeof(tag)) : NULL;

	if (fd >= 0)
		(void)close(fd); /* only read from */
	if (!at)
		return false;
	at += sizeof(tag) + 2;
	n = (ssize_t)strspn(at, "0123456789.");
	(void)snprintf(uid, 65, "%.*s", (int)n, at);
	return n > 0;
}

/* storescp deletes an image that it could not receive: then we know which. */
int unlink(const char *path)
{
	static int (*next)(const char *);
	char uid[65];

	if (!next)
		guard_find_next("unlink", &next, sizeof(next));
	if (guard_log >= 0 && instance_of(path, uid))
		(void)dprintf(guard_log, ASSOC_NOT_TAKEN "%s\n", uid);
	return next(path);
}

int fclose(FILE *file)
{
	static int (*next)(FILE *);
	bool image = is_image(fileno(file));
	int result;

	if (!next)
		guard_find_next("fclose", &next, sizeof(next));
	if (image)
		note_closed(fileno(file));
	result = next(file);
	if (image && result != 0)
		give_up("unable to write the image being received", errno);
	return result;
}
