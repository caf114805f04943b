#include "ends.h"

#include "spool/job.h"

#include <stdio.h>
#include <string.h>

json_t *ends_of(json_t *job, const char *target)
{
	return account_in(account_in(job, "targets"), target);
}

void ends_tell(json_t *end, const char *event, const char *job, json_int_t images)
{
	char line[ENDS_NAME_SIZE + 32];

	(void)snprintf(line, sizeof(line), "%s %s", event, job);
	account_set(account_in(end, "told"), line, images);
	account_set(end, "again", 0);
	if (strcmp(event, "failed") == 0)
		account_add(end, "failed", images);
}

bool ends_take(json_t *end, json_int_t images)
{
	json_t *told = account_in(end, "told");

	if (account_get(end, "again"))
		return false;
	account_add(end, "earlier", account_sum(told));
	(void)json_object_clear(told); /* cannot fail on an object */
	account_add(end, "taken", images);
	account_set(end, "again", 1);
	return true;
}

/* Of one name the most counts: the tree may have it and the journal, too, and whoever goes on with
 * a part of it tells of the part. */
void ends_move(struct account *account, const char *name, json_int_t images)
{
	json_t *job = account_job(account, name), *moved;
	char target[ENDS_NAME_SIZE];

	ends_target(name, target);
	if (!job)
		return;
	moved = account_in(*target ? ends_of(job, target) : job, "moved");
	if (images > account_get(moved, name))
		account_set(moved, name, images);
}

json_int_t ends_moved(const json_t *object)
{
	return account_sum(json_object_get(object, "moved"));
}

json_int_t ends_rested(const json_t *end)
{
	return account_get(end, "earlier") + account_sum(json_object_get(end, "told")) -
	       account_get(end, "taken");
}

void ends_target(const char *name, char target[ENDS_NAME_SIZE])
{
	size_t length = job_ended(name);
	char *number;

	(void)snprintf(target, ENDS_NAME_SIZE, "%s", length ? name + length + 1 : "");
	number = strrchr(target, '~'); /* disk_rename_unique() */
	if (number && number[1] && strspn(number + 1, "0123456789") == strlen(number + 1))
		*number = '\0';
}
