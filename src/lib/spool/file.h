/*
 * file: the names that dcmspool gives to files and directories inside associations, batches, jobs
 * and queues, and whose a name is. The modules beside this one own the contents: series.h, plan.h,
 * job.h, ledger.h, retry.h, pause.h, held.h, reason.h, assoc.h, filed.h.
 */
#ifndef SPOOL_FILE_H
#define SPOOL_FILE_H

#include <stdbool.h>

/* Where a name lies. */
enum file_place {
	FILE_IN_ASSOCIATION = 1, /* receiving/<association>/ */
	FILE_IN_BATCH = 2,       /* incoming/<series>/, and routing/<job>/ before it is planned */
	FILE_IN_JOB = 4,         /* from routing/<job>/ on to its end, with plan */
	FILE_IN_QUEUE = 8,       /* outgoing/, outgoing/<target>/ */
	FILE_ANYWHERE = 15
};

enum file {
	FILE_ASSOCIATION, /* association.json */
	FILE_READING,     /* .reading */
	FILE_CORRECTED,   /* .corrected */
	FILE_SERIES,      /* series.json */
	FILE_FILED,       /* filed */
	FILE_AHEAD,       /* ahead.json */
	FILE_COMPLETE,    /* .complete */
	FILE_PLAN,        /* plan.json */
	FILE_FANOUT_NEW,  /* .fanout.new/ */
	FILE_FANOUT,      /* fanout/ */
	FILE_JOB,         /* job.json */
	FILE_LEDGER,      /* sent.log */
	FILE_RETRY,       /* retry.json */
	FILE_CANCELLED,   /* cancelled */
	FILE_FAILED,      /* .failed/ */
	FILE_REASON,      /* reason.txt */
	FILE_TOLD,        /* .told */
	FILE_PAUSED,      /* paused.json */
	FILE_PROBE,       /* .probe */
	FILE_IDLE,        /* .idle, of the spool itself */
	FILE_PLACES,      /* .places, of the spool itself */
	FILE_HELD,        /* held */
	FILES
};

const char *file_name(enum file file);

/* 1: it is there (of whatever type), 0: not, -1 with errno. */
int file_exists(int dir, enum file file);
/* A file that is not there is no error. -1 with errno. */
int file_remove(int dir, enum file file);

/* Is the name one that dcmspool itself gives in such a place? Images are not among them; what is
 * being written (.new.*) and markers of associations (.assoc.*) are. */
bool file_is_ours(enum file_place place, const char *name);

/* Has it served when a batch is claimed: signs for the router, and what an earlier job left behind
 * in one that was moved back by hand? Images and series.json stay. */
bool file_is_spent(const char *name);

/* ".new.*": is being written, or was when its writer died; means nothing. */
bool file_is_temporary(const char *name);

/* An image in a batch or job: "<name_ok>.dcm". */
bool file_is_image(const char *name);

#endif
