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

RUN_PACKAGES   = build-essential dcmtk libinotifytools0-dev libconfuse-dev libjansson-dev zlib1g-dev s6 \
                 inotify-tools
CHECK_PACKAGES = bats bsdextrautils parallel jq procps strace mandoc util-linux python3 python3-pydicom
LINT_PACKAGES  = clang-tidy clang-format cppcheck shellcheck mandoc

CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wwrite-strings -Wvla $(if $(CI),-Werror)
HARDEN    = -fstack-protector-strong -fPIE
override CPPFLAGS += -D_POSIX_C_SOURCE=200809L -Isrc/lib -I$(BUILD)/gen -DSYSCONFDIR='"$(SYSCONFDIR)"'
override CFLAGS   += -std=c11 $(WARNINGS) $(HARDEN)
override LDFLAGS  += -pie -Wl,-z,relro,-z,now,--as-needed
LDLIBS    = -linotifytools -lconfuse -ljansson -lz

LIB_SRC  := $(wildcard src/lib/*.c)
LIB_OBJ  := $(LIB_SRC:src/%.c=$(BUILD)/%.o)
PROGRAMS := $(filter-out lib,$(notdir $(patsubst %/,%,$(wildcard src/*/))))

SHELL_FILES = bin/dcmspool bin/dcmspool-up bin/dcmspool-layout bin/dcmspool-demo

all: $(PROGRAMS:%=$(BIN)/%) $(BIN)/storescp.dic $(BIN)/storescp-write.so

$(BUILD)/%.o: src/%.c
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

# The dictionary that storescp reads at each connection: groups 0000 and 0002 are all it needs.
$(BIN)/storescp.dic: src/dcmspool-association/storescp-dic.sh
	@mkdir -p $(@D)
	sh $< >$@.new
	mv $@.new $@

# Is preloaded into DCMTK's storescp, which has no sanitizers, so it cannot have them either.
$(BIN)/storescp-write.so: src/dcmspool-association/preload/storescp-write.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(filter-out -fsanitize=% -fno-sanitize%,$(CFLAGS)) -fPIC -shared \
		$(filter-out -pie -fsanitize=%,$(LDFLAGS)) -o $@ $<

# A build in another folder (make asan) has the shell commands beside its programs as well.
ifneq ($(abspath $(BIN)),$(abspath bin))
all: $(SHELL_FILES:bin/%=$(BIN)/%) $(BIN)/directories
$(BIN)/directories: spool-layout/directories
	@mkdir -p $(@D)
	cp $< $@
$(SHELL_FILES:bin/%=$(BIN)/%): $(BIN)/%: bin/%
	@mkdir -p $(@D)
	cp $< $@
endif

# ---- running and testing ----------------------------------------------------------------------------
# Only the installation of packages needs root. Everything else is done as the owner of the clone, also
# under sudo, so that no file of root's is left in it.
OWNER    := $(shell stat -c %U .)
AS_OWNER := $(if $(filter 0,$(shell id -u)),$(if $(filter root,$(OWNER)),,runuser -u $(OWNER) --))
CONF     ?= etc/dcmspool.conf
JOBS     ?= $(shell nproc)
BATS     ?= tests

run:
	@$(MAKE) -s deps PACKAGES="$(RUN_PACKAGES)"
	@$(AS_OWNER) $(MAKE) -s all
	@$(AS_OWNER) bin/dcmspool up -c $(CONF)

demo: $(BUILD)/tests/makestudy $(BUILD)/tests/dicomcmp
	@bin/dcmspool demo -c $(CONF)

check:
	@$(MAKE) -s deps PACKAGES="$(RUN_PACKAGES) $(CHECK_PACKAGES)"
	@$(AS_OWNER) $(MAKE) -s test

bench: all $(TOOLS)
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench.sh

# Without root, when the packages are there. BATS: one file or the folder.
test: all $(TOOLS)
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) bats --jobs $(JOBS) $(BATS)

# Asks the network only for what is missing.
deps:
	@missing=$$(for p in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	[ -z "$$missing" ] && exit 0; \
	[ "$$(id -u)" = 0 ] || { echo "packages are missing: $$missing" >&2; \
		echo "install them with: sudo make $(or $(MAKECMDGOALS),deps)" >&2; exit 100; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $$missing

asan:
	$(MAKE) test BUILD=build-asan BIN=build-asan/bin \
		CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined" \
		LDFLAGS="-fsanitize=address,undefined"

MAN_PAGES   = $(wildcard src/*/*.[1-9])
lint:
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	shellcheck $(SHELL_FILES)
	mandoc -T lint -W warning $(MAN_PAGES)
	cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability \
		--suppress=varFuncNullUB --suppress=unknownEvaluationOrder -Isrc/lib src
	# gcc 12 loses sight of what is stored through a table or a growing array; make asan finds leaks
	$(MAKE) -s BUILD=build-analyzer BIN=build-analyzer/bin all \
		CFLAGS="-O1 -g -fanalyzer -Wno-analyzer-malloc-leak -Werror"

# ---- installing -------------------------------------------------------------------------------------
LIBEXEC = $(DESTDIR)$(PREFIX)/lib/dcmspool
MAN     = $(DESTDIR)$(PREFIX)/share/man
install: all
	install -d $(LIBEXEC) $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/dcmspool \
		$(DESTDIR)$(SYSCONFDIR)/dcmspool/conf.d
	install $(PROGRAMS:%=$(BIN)/%) $(SHELL_FILES) $(LIBEXEC)
	install -m 644 $(BIN)/storescp.dic $(BIN)/storescp-write.so $(LIBEXEC)
	install -m 644 spool-layout/directories $(LIBEXEC)
	install -m 644 spool-layout/STATES.md $(DESTDIR)$(PREFIX)/share/dcmspool
	ln -sf ../lib/dcmspool/dcmspool ../lib/dcmspool/getdcmtags $(DESTDIR)$(PREFIX)/bin
	test -e $(DESTDIR)$(SYSCONFDIR)/dcmspool/dcmspool.conf || \
		sed 's|"../spool"|"/var/spool/dcmspool"|; s|"../archive"|"/srv/dcmspool-archive"|' \
			etc/dcmspool.conf >$(DESTDIR)$(SYSCONFDIR)/dcmspool/dcmspool.conf
	for page in $(MAN_PAGES); do \
		install -D -m 644 $$page $(MAN)/man$${page##*.}/$$(basename $$page) || exit; done

uninstall:
	rm -rf $(LIBEXEC) $(DESTDIR)$(PREFIX)/share/dcmspool
	rm -f $(DESTDIR)$(PREFIX)/bin/dcmspool $(DESTDIR)$(PREFIX)/bin/getdcmtags
	for page in $(MAN_PAGES); do rm -f $(MAN)/man$${page##*.}/$$(basename $$page); done

clean:
	rm -rf $(BUILD) build-asan build-analyzer $(PROGRAMS:%=$(BIN)/%) $(BIN)/storescp.dic \
		$(BIN)/storescp-write.so

.PHONY: all run demo check test bench deps asan lint install uninstall clean
