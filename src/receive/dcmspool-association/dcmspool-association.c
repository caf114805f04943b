/*
 * dcmspool-association: handles one DICOM connection, as whoever starts a program for each gives it
 * (tcpserver, xinetd, stunnel), or recovers a dead one; see dcmspool-association(8). What it does
 * is receive/serve.h; dcmspool-receiver does the same in children of its own.
 */
#include "receive/serve.h"

#include "base/disk.h"
#include "base/log.h"
#include "cli/options.h"
#include "decide/names.h"

#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "usage: dcmspool-association [-nt] [-c FILE] [-r NAME]";

static const char *recover_name;
static bool behind_tls; /* whoever starts us says who is calling */

static void option(int letter, const char *argument)
{
	if (letter == 'r')
		recover_name = argument;
	behind_tls |= letter == 't';
}

/* xinetd makes the connection standard error as well. */
static void keep_output_off_the_socket(void)
{
	struct stat in, out;

	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(STDIN_FILENO, &in) == 0 &&
			(fstat(fd, &out) < 0 || disk_same_file(&in, &out)))
			serve_let_go(fd);
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process */
	const struct conf *conf;

	log_open(argv[0]);
	conf = cli_options_checked(argc, argv, "r:t", option, usage, names_check);
	spool_open(&spool, conf->spool);
	if (recover_name)
		return serve_recover(conf, &spool, recover_name);
	keep_output_off_the_socket();
	return serve_connection(conf, &spool, behind_tls, -1);
}
