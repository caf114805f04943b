#include "try.h"

#include "base/log.h"
#include "conf/table.h"
#include "conf/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int try_program(const struct conf_target *target)
{
	char *program = target_program(target);
	int code = 0;

	if (!program)
		die(EXIT_TEMPORARY, "unable to look for send-%s: %s", target->type,
			strerror(errno));
	if (access(program, X_OK) < 0) {
		log_error("unable to run %s of target %s: %s; install it", program, target->name,
			strerror(errno));
		code = EXIT_PERMANENT;
	}
	free(program);
	return code;
}

static int try_file(const struct conf_target *target, const struct conf_key *key)
{
	const char *path = conf_setting(target, key->name);
	char why[300];

	if (!path)
		return 0;
	if (target_file_is_wrong(path, key->kind == CONF_SECRET, geteuid(), why, sizeof(why))) {
		log_error("%s of target %s: %s", key->name, target->name, why);
	} else if (access(path, R_OK) < 0) {
		log_error("%s of target %s: unable to read %s: %s; let it be read", key->name,
			target->name, path, strerror(errno));
	} else {
		return 0;
	}
	return EXIT_PERMANENT;
}

int try_targets(const struct conf *conf)
{
	int code = 0;

	for (size_t i = 0; i < conf->target_count; i++) {
		const struct conf_type *type = conf_type_find(conf->target[i].type);

		code |= try_program(&conf->target[i]);
		for (size_t k = 0; k < type->key_count; k++)
			if (type->key[k].kind == CONF_FILE || type->key[k].kind == CONF_SECRET)
				code |= try_file(&conf->target[i], &type->key[k]);
	}
	return code;
}
