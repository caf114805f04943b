#include "tls/tls.h"

#include "base/run.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tls_library *tls_load(char *why, size_t size)
{
	const struct tls_library *library = NULL;
	char *path = run_beside("tls.so");
	void *loaded;

	if (!path) {
		(void)snprintf(why, size, "unable to find tls.so: %s", strerror(errno));
		return NULL;
	}
	loaded = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* until the process ends */
	if (loaded)
		library = dlsym(loaded, "tls_library");
	if (!library)
		(void)snprintf(why, size, "unable to load what TLS needs: %s", dlerror());
	free(path);
	return library;
}
