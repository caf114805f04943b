/* watch: events are seen, watches end, and a thousand directories that came and went leave it
 * working. */
#include "tap.h"
#include "base/loop.h"
#include "base/watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static struct loop loop;

static bool has_event(void)
{
	return watch_wait(&loop, LOOP_NOW, NULL);
}

static void scan(const char *extra)
{
	watch_begin();
	if (watch_keep("tree/", IN_CREATE | IN_MOVED_TO | IN_DELETE) < 0 ||
		(extra && watch_keep(extra, IN_CREATE) < 0))
		printf("# unable to watch\n");
	watch_end();
}

static bool make(const char *path)
{
	return mkdir(path, 0700) == 0;
}

/* What watch_end() ends has gone between its events and that. */
static bool is_silent(void)
{
	int saved = dup(STDERR_FILENO);
	struct stat st = { .st_size = 1 };

	if (!make("tree/gone") || saved < 0 || !freopen("stderr", "w", stderr))
		return false;
	scan("tree/gone/");
	watch_begin();
	(void)watch_keep("tree/", IN_CREATE | IN_MOVED_TO | IN_DELETE);
	(void)rmdir("tree/gone");
	watch_end();
	(void)fflush(stderr);
	(void)stat("stderr", &st);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)has_event();
	return unlink("stderr") == 0 && st.st_size == 0;
}

int main(void)
{
	char folder[] = "/tmp/test_watch.XXXXXX";
	bool all = true;

	if (!mkdtemp(folder) || chdir(folder) < 0 || !make("tree"))
		return 1;
	loop_open_bare(&loop);
	scan(NULL);
	ok(!has_event(), "nothing has happened");
	ok(make("tree/a") && has_event(), "a directory made is an event");
	scan("tree/a/");
	ok(make("tree/a/b") && has_event(), "an event in a directory watched later");
	scan(NULL);
	(void)has_event(); /* the end of the watch is one */
	ok(make("tree/a/c") && !has_event(), "no event where the watch has ended");
	scan("tree/a/");
	ok(make("tree/a/d") && has_event(), "the same directory can be watched again");

	ok(is_silent(), "a directory that goes during a scan: the library prints nothing");

	/* The kernel ends these watches itself, and the library never forgets such. */
	for (int i = 0; i < 1100 && all; i++) {
		all = make("tree/x");
		scan("tree/x/");
		all = all && rmdir("tree/x") == 0 && has_event();
	}
	ok(all, "1,100 directories watched and removed");
	scan(NULL);
	ok(make("tree/y") && has_event(), "and still an event is seen");
	ok(make("tree/x"), "the name comes back");
	scan("tree/x/");
	ok(make("tree/x/z") && has_event(), "and is watched again");
	watch_begin();
	ok(watch_keep("tree/none/", IN_CREATE) < 0, "what is not there cannot be watched");
	watch_end();
	if (chdir("/") == 0 && fork() == 0)
		execlp("rm", "rm", "-rf", folder, (char *)NULL);
	return tap_done();
}
