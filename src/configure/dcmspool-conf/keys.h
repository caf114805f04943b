/* keys: the tables of the configuration as text. */
#ifndef KEYS_H
#define KEYS_H

#include "base/str.h"

/* One line for each key: "receiver.port: list of numbers, 1 to 65535; default: 11112". */
void keys_print(struct buf *out);

#endif
