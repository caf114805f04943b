/*
 * dcmspool-doctor: what an experienced administrator would look at. dcmspool-doctor(8).
 *
 * Each check says at once what it has found; what other programs of ours find is asked of them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/options.h"
#include "cli/running.h"
#include "cli/show.h"
#include "doctor.h"

static const char usage[] = "usage: dcmspool-doctor [-jno] [-c FILE] (--json, --offline)\n";

static struct doctor doctor;

static void option(int letter, const char *argument)
{
	(void)argument; /* none has one */
	doctor.json |= letter == 'j';
	doctor.offline |= letter == 'o';
}

/* With mistakes in the file that of what runs is looked at. */
static void find_configuration(void)
{
	struct conf *conf = NULL;
	struct stat st;

	if (check_configuration(&doctor))
		conf = conf_load(doctor.file, NULL);
	doctor.conf = running_conf(doctor.file, conf);
	if (!doctor.conf)
		return;
	doctor.running = running_on(doctor.conf->spool);
	doctor.owner = stat(doctor.conf->spool, &st) == 0 ? st.st_uid : geteuid();
}

int main(int argc, char *argv[])
{
	static void (*const checks[])(struct doctor *) = { check_running, check_place, check_host,
		check_keys, check_ports, check_targets, check_tree };
	int code;

	log_open(argv[0]);
	doctor.file = cli_options_file(argc, argv, "jo", option, usage);
	if (optind < argc) {
		log_error("there is nothing to name: the whole is looked at");
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	show_open();
	doctor.good = json_array();
	find_configuration();
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks) && doctor.conf; i++)
		checks[i](&doctor);
	code = doctor_end(&doctor);
	show_close();
	return code;
}
