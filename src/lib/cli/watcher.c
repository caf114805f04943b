#include "cli/watcher.h"

#include "base/log.h"
#include "base/service.h"

void watcher_ready(const struct conf *conf)
{
	service_ready(conf->file, conf->device, conf->inode);
	log_info("ready spool=%s", conf->spool);
}

int watcher_end(const struct loop *loop)
{
	if (loop->anew && !loop->stopping)
		service_again();
	log_info("stopped");
	return 0;
}
