# dcmspool: see README.md. `make` builds into bin/ and needs no root.
#
#   make            build                     sudo make run     install packages, build, start on port 11112
#   make check      all tests                 make demo         send a small study to the running router
#   make bench      measurements              make lint asan    analysers; the suite under ASan + UBSan
#   make install    DESTDIR, PREFIX, SYSCONFDIR

PREFIX     ?= /usr/local
SYSCONFDIR ?= $(PREFIX)/etc
BUILD      ?= build
BIN        ?= bin

RUN_PACKAGES   = build-essential dcmtk libinotifytools0-dev libconfuse-dev libjansson-dev zlib1g-dev s6
CHECK_PACKAGES = bats parallel jq procps strace mandoc util-linux python3 python3-pydicom
LINT_PACKAGES  = clang-tidy clang-format cppcheck shellcheck mandoc

CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wwrite-strings -Wvla $(if $(CI),-Werror)
HARDEN    = -fstack-protector-strong -fPIE
override CPPFLAGS += -Isrc/lib -I$(BUILD)/gen -DSYSCONFDIR='"$(SYSCONFDIR)"'
override CFLAGS   += -std=c11 $(WARNINGS) $(HARDEN)
override LDFLAGS  += -pie -Wl,-z,relro,-z,now,--as-needed
LDLIBS    = -linotifytools -lconfuse -ljansson -lz

LIB_SRC  := $(wildcard src/lib/*.c)
LIB_OBJ  := $(LIB_SRC:src/%.c=$(BUILD)/%.o)
PROGRAMS := $(filter-out lib,$(notdir $(patsubst %/,%,$(wildcard src/*/))))

all: $(PROGRAMS:%=$(BIN)/%) $(BIN)/storescp.dic

$(BUILD)/%.o: src/%.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -MMD -MP $(CFLAGS) -c -o $@ $<

$(BUILD)/libspool.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

# One program per folder of src/: every .c file in it, and the library.
define PROGRAM
$(BIN)/$(1): $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(1)/*.c)) $(BUILD)/libspool.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call PROGRAM,$(p))))

# Tools and unit tests of the suite: one file each.
TOOLS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*.c))
$(BUILD)/tests/%: tests/%.c $(BUILD)/libspool.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -MMD -MP $(CFLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/libspool.a $(LDLIBS)

-include $(wildcard $(BUILD)/*/*.d)

clean:
	rm -rf $(BUILD) $(PROGRAMS:%=$(BIN)/%) $(BIN)/storescp.dic

.PHONY: all clean
