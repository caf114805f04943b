/*
 * rawsend: a DICOM sender that plays faults and hostile input, on loopback only.
 *
 * Sends the bytes after the file meta header of each FILE by C-STORE, unparsed, all in one
 * association, one after the other. One line per event on standard output:
 *
 *   context ID RESULT TS    what the receiver says to a presentation context; "-" without a syntax
 *   accepted                the association
 *   rejected RESULT SOURCE REASON   (PS3.8 9.3.4)
 *   FILE STATUS             the answer, four hexadecimal digits; "echo STATUS" for a C-ECHO;
 *                           "FILE nocontext" when the receiver did not accept its context
 *   released, aborted, closed, timeout   how it ended; closed by either side
 *
 * Exits 0 when everything asked for was answered with status 0000 (and a hang lasted until standard
 * input was closed), 1 otherwise, 2 when called wrongly.
 */
#define _GNU_SOURCE
#include "scu.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>

static const char usage[] =
	"usage: rawsend HOST PORT [options] [FILE...]\n"
	"  -a AE, -c AE   calling, called AE title; \\n, \\\\ and \\xNN are understood\n"
	"  -t UID         transfer syntax proposed, repeatable (default: that of the file)\n"
	"  -q UID, -i UID SOP class, SOP instance UID (default: those of the file)\n"
	"  -P N           propose N presentation contexts, up to 128, of invented SOP classes\n"
	"  -C N           cut N bytes off each data set\n"
	"  -A N           close the connection after N images; -R: with a reset\n"
	"  -D N           close it in the middle of image N (the first is 1)\n"
	"  -W N           wait in the middle of image N for a line on standard input\n"
	"  -E             send a C-ECHO, before any FILE\n"
	"  -H connect|half|open   connect, send half a request, or associate and send the FILEs;\n"
	"                 then hang until standard input is closed\n"
	"  -G             send garbage instead of a request\n"
	"  -L N           send a request that claims a length of N\n"
	"  -w MS          wait before each image but the first\n"
	"  -T SECONDS     longest wait for one answer (default 20)\n";

static void close_connection(const struct sender *s)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (s->reset && setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)))
		die(FAILED, "unable to prepare a reset: %s", strerror(errno));
	close(s->fd);
	puts("closed");
}

/* Waits until standard input is closed (OK), or the receiver ends it (FAILED). */
static int hang(struct sender *s)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = s->fd, .events = POLLIN } };
	char ignored[512];

	for (;;) {
		if (poll(fds, 2, -1) == -1)
			die(FAILED, "unable to wait: %s", strerror(errno));
		if (fds[1].revents && receive(s) == PDU_CLOSED)
			return FAILED;
		if (fds[0].revents && read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0)
			break;
	}
	close_connection(s);
	return OK;
}

static bool echo(struct sender *s)
{
	long status;

	(void)send_command(s, NULL, 1); /* read_status() finds out */
	status = read_status(s);
	if (status >= 0)
		printf("echo %04lx\n", (unsigned long)status);
	return status == 0;
}

static int send_images(struct sender *s)
{
	int result = OK;

	for (size_t i = 0; i < s->images && (long)i != s->close_after; i++) {
		bool drop = (long)i + 1 == s->drop_in;
		long status;

		if (i > 0)
			(void)poll(NULL, 0, (int)s->pause_ms); /* cut short, it does no harm */
		status = store(s, &s->image[i], (unsigned)i + 1, drop);
		if (status)
			result = FAILED;
		if (status == -1)
			return FAILED;
		if (drop) {
			close_connection(s);
			return result;
		}
	}
	if (s->hang)
		return result;
	if (s->close_after >= 0) {
		close_connection(s);
		return result;
	}
	if (pdu_send(s->fd, "\5\0\0\0\0\4\0\0\0", 10) || receive(s) != PDU_RELEASE_RP)
		return FAILED;
	puts("released");
	return result;
}

static int connect_loopback(const char *host, long port, long timeout_s)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	const struct timeval limit = { .tv_sec = timeout_s };
	bool is_v4 = inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1",
			     &v4.sin_addr) == 1;
	int on = 1, fd;

	if (is_v4 ? ntohl(v4.sin_addr.s_addr) >> 24 != 127
		  : inet_pton(AF_INET6, host, &v6.sin6_addr) != 1 ||
				!IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr))
		die(USAGE, "unable to send to %s: not a loopback address; this is a tool for tests",
			host);
	fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die(FAILED, "unable to make a socket: %s", strerror(errno));
	if (is_v4 ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
		  : connect(fd, (struct sockaddr *)&v6, sizeof(v6)))
		die(FAILED, "unable to connect to %s port %ld: %s", host, port, strerror(errno));
	return fd;
}

/* Undoes \n, \\ and \xNN, and pads with spaces: PS3.8 9.3.2 has 16 bytes for a title. */
static void read_title(const char *text, char title[AE_LENGTH])
{
	size_t n = 0;

	memset(title, ' ', AE_LENGTH);
	while (*text) {
		char hex[3] = { 0 }, c = *text++;

		if (c == '\\' && *text == 'n') {
			c = '\n';
			text++;
		} else if (c == '\\' && *text == '\\') {
			text++;
		} else if (c == '\\' && *text == 'x' && text[1] && text[2]) {
			memcpy(hex, text + 1, 2);
			c = (char)strtoul(hex, NULL, 16);
			text += 3;
		}
		if (n == AE_LENGTH)
			die(USAGE, "unable to use an AE title of more than %d bytes", AE_LENGTH);
		title[n++] = c;
	}
}

static enum hang read_hang(const char *text)
{
	static const char *const names[] = { "", "connect", "half", "open" };

	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i]))
			return (enum hang)i;
	die(USAGE, "unable to use -H %s: use connect, half or open", text);
}

static void set_option(struct sender *s, int letter)
{
	const struct {
		int letter;
		long min, max, *number;
	} numbers[] = {
		{ 'P', 1, PDU_CONTEXTS, &s->contexts_wanted },
		{ 'C', 1, INT32_MAX, &s->cut },
		{ 'A', 0, INT32_MAX, &s->close_after },
		{ 'D', 1, INT32_MAX, &s->drop_in },
		{ 'W', 1, INT32_MAX, &s->wait_in },
		{ 'L', 0, UINT32_MAX, &s->claimed_length },
		{ 'T', 1, 3600, &s->timeout_s },
		{ 'w', 0, 60000, &s->pause_ms },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].letter == letter) {
			if (parse_long(optarg, numbers[i].min, numbers[i].max, numbers[i].number))
				die(USAGE, "unable to use -%c %s: give a number from %ld to %ld",
					letter, optarg, numbers[i].min, numbers[i].max);
			return;
		}
	switch (letter) {
	case 'a':
		read_title(optarg, s->calling);
		break;
	case 'c':
		read_title(optarg, s->called);
		break;
	case 't':
		if (s->syntaxes == SYNTAXES)
			die(USAGE, "unable to propose more than %d transfer syntaxes", SYNTAXES);
		s->syntax[s->syntaxes++] = optarg;
		break;
	case 'q':
		s->sop_class = optarg;
		break;
	case 'i':
		s->sop_instance = optarg;
		break;
	case 'H':
		s->hang = read_hang(optarg);
		break;
	case '?':
		fputs(usage, stderr);
		exit(USAGE);
	}
	s->reset |= letter == 'R';
	s->echo |= letter == 'E';
	s->garbage |= letter == 'G';
}

static void open_images(struct sender *s, char *paths[], int count)
{
	s->images = (size_t)count;
	s->image = calloc(s->images + 1, sizeof(*s->image));
	if (!s->image)
		die(FAILED, "unable to start: not enough memory");
	for (size_t i = 0; i < s->images; i++) {
		s->image[i].path = paths[i];
		if (part10_open(&s->image[i].file, paths[i]))
			die(USAGE, "unable to read %s: %s", paths[i], strerror(errno));
	}
}

static int play(struct sender *s)
{
	int result;

	if (s->hang == HANG_CONNECT)
		return hang(s);
	if (!associate(s))
		return FAILED;
	if (s->hang == HANG_HALF)
		return hang(s);
	if (s->echo && !echo(s))
		return FAILED;
	result = send_images(s);
	return s->hang && result == OK ? hang(s) : result;
}

int main(int argc, char *argv[])
{
	struct sender s = {
		.close_after = -1,
		.claimed_length = -1,
		.timeout_s = 20,
		.max_pdu = 16384,
	};
	int letter, result;
	long port;

	log_open(argv[0]);
	setvbuf(stdout, NULL, _IOLBF, 0); /* a test follows the events as they happen */
	read_title("RAWSEND", s.calling);
	read_title("ANY-SCP", s.called);
	while ((letter = getopt(argc, argv, "a:c:t:q:i:P:C:A:D:EH:GL:RT:W:w:")) != -1)
		set_option(&s, letter);
	argv += optind;
	argc -= optind;
	if (argc < 2 || parse_long(argv[1], 1, 65535, &port))
		set_option(&s, '?');
	open_images(&s, argv + 2, argc - 2);
	choose_contexts(&s);
	s.fd = connect_loopback(argv[0], port, s.timeout_s);
	result = play(&s);
	for (size_t i = 0; i < s.images; i++)
		part10_close(&s.image[i].file);
	free(s.image);
	buf_free(&s.body);
	return fflush(stdout) || ferror(stdout) ? FAILED : result;
}
