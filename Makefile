# dcmspool: see README.md. `make` builds into bin/ and needs no root.
#
#   make            build                     sudo make run     install packages, build, start on port 11112
#   make check      the tests                 make demo         send a small study to the running router
#   make check-fast those of less than 60 s   make torture      crash points, full disks, long waits: all of them
#   make bench      measurements              make lint asan    analysers; the suite under ASan + UBSan
#   make install    DESTDIR, PREFIX, SYSCONFDIR, SYSTEMD   make deb     a package of what is committed

PREFIX     ?= /usr/local
SYSCONFDIR ?= $(PREFIX)/etc
SYSTEMD    ?= $(PREFIX)/lib/systemd
BUILD      ?= build
BIN        ?= bin

RUN_PACKAGES   = build-essential dcmtk libinotifytools0-dev libconfuse-dev libjansson-dev \
                 zlib1g-dev libpcre2-dev libssl-dev s6 inotify-tools curl ca-certificates openssh-client rsync
CHECK_PACKAGES = bats bsdextrautils parallel jq procps strace mandoc util-linux python3 \
                 python3-pydicom gnuplot-nox openssl stunnel4 orthanc orthanc-dicomweb openssh-server systemd
# What `make torture` needs besides: file systems to lose the power of, clocks to set, a Debian to install on.
TORTURE_PACKAGES = faketime xfsprogs btrfs-progs $(DEB_PACKAGES) debootstrap systemd-container
DEB_PACKAGES   = debhelper lintian
LINT_PACKAGES  = clang-tidy clang-format cppcheck shellcheck mandoc

CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wwrite-strings -Wvla $(if $(CI),-Werror)
HARDEN    = -fstack-protector-strong -fPIE
override CPPFLAGS += -D_POSIX_C_SOURCE=200809L -Isrc/lib -I$(BUILD)/gen -DSYSCONFDIR='"$(SYSCONFDIR)"'
override CFLAGS   += -std=c11 $(WARNINGS) $(HARDEN)
override LDFLAGS  += -pie -Wl,-z,relro,-z,now,--as-needed
LDLIBS    = -linotifytools -lconfuse -ljansson -lz -lpcre2-8 -lm

LIB_SRC  := $(filter-out src/lib/tls/tls.c,$(wildcard src/lib/*/*.c src/lib/*/*/*.c))
LIB_OBJ  := $(LIB_SRC:src/%.c=$(BUILD)/%.o)
# A folder below a stage's is a program.
PROGRAM_DIRS := $(patsubst %/,%,$(filter-out src/lib/%,$(wildcard src/*/*/)))
PROGRAMS := $(notdir $(PROGRAM_DIRS))

SHELL_FILES = bin/dcmspool bin/dcmspool-up bin/dcmspool-reload bin/dcmspool-scale bin/dcmspool-layout bin/dcmspool-demo \
              bin/dcmspool-tls

# Goes into DCMTK's storescp.
GUARD    := $(wildcard src/receive/dcmspool-association/preload/*.[ch] src/lib/receive/*.h)
PRELOADED = $(BIN)/storescp-write.so
# OpenSSL and what uses it, which a sender loads when it needs it (tls.h).
LOADED    = $(BIN)/tls.so

# What `dcmspool demo` makes and looks at a study with.
DEMO_TOOLS = $(BUILD)/tests/makestudy $(BUILD)/tests/dicomcmp

all: $(PROGRAMS:%=$(BIN)/%) $(BIN)/storescp.dic $(PRELOADED) $(LOADED) $(DEMO_TOOLS)

# The tables of a spool, for everybody who includes spool/stage.h or spool/states.h.
STAGES := $(BUILD)/gen/spool_stages.h $(BUILD)/gen/spool_states.h
$(BUILD)/gen/spool_stages.h: spool-layout/directories src/lib/spool/stages.sh
$(BUILD)/gen/spool_states.h: spool-layout/states src/lib/spool/states.sh
$(STAGES):
	@mkdir -p $(@D)
	sh $(filter %.sh,$^) $< >$@.new
	mv $@.new $@

$(BUILD)/%.o: src/%.c | $(STAGES)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -MMD -MP $(CFLAGS) -c -o $@ $<

# Where the installed configuration lies is compiled in, once.
$(BUILD)/lib/cli/find.o: $(BUILD)/gen/sysconfdir
$(BUILD)/gen/sysconfdir: always
	@mkdir -p $(@D)
	@echo '$(SYSCONFDIR)' | cmp -s - $@ || echo '$(SYSCONFDIR)' >$@

# Every keyword of PS3.6, from DCMTK's data dictionary.
$(BUILD)/lib/dicom/dictionary.o: $(BUILD)/gen/dicom_dictionary_table.h
$(BUILD)/gen/dicom_dictionary_table.h: src/lib/dicom/dictionary.sh
	@mkdir -p $(@D)
	sh $< >$@.new
	mv $@.new $@

$(BUILD)/libspool.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) qcs $@ $^ # q: files of one name lie in several folders

# One program per folder: every .c file in it, and the library.
define PROGRAM
$(BIN)/$(notdir $(1)): $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard $(1)/*.c)) $(BUILD)/libspool.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGRAM_DIRS),$(eval $(call PROGRAM,$(p))))

# Tools and unit tests of the suite: one file each.
TOOL_SRC := $(wildcard tests/lib/*.c tests/receive/*.c tests/tools/*.c)
TOOLS := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(TOOL_SRC))) $(BUILD)/tests/loopback.so
define TOOL
$(BUILD)/tests/$(basename $(notdir $(1))): $(1) $(BUILD)/libspool.a
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) -MMD -MP $$(CFLAGS) $$(LDFLAGS) -o $$@ $$< $(BUILD)/libspool.a $$(LDLIBS)
endef
$(foreach t,$(TOOL_SRC),$(eval $(call TOOL,$(t))))

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d $(BUILD)/*/*/*/*.d)

# The dictionary that storescp reads at each connection: groups 0000 and 0002 are all it needs.
$(BIN)/storescp.dic: src/receive/dcmspool-association/storescp-dic.sh
	@mkdir -p $(@D)
	sh $< >$@.new
	mv $@.new $@

# Are preloaded into DCMTK's programs, which have no sanitizers, so they cannot have them either.
define PRELOAD
$(1): $(2)
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) $$(filter-out -fsanitize=% -fno-sanitize%,$$(CFLAGS)) -fPIC -shared \
		$$(filter-out -pie -fsanitize=%,$$(LDFLAGS)) -o $$@ $$(filter %.c,$$^)
endef
$(eval $(call PRELOAD,$(PRELOADED),$(GUARD)))
$(eval $(call PRELOAD,$(BUILD)/tests/loopback.so,tests/tools/preload/loopback.c))

$(LOADED): src/lib/tls/tls.c src/lib/dicom/network/connection.c $(wildcard src/lib/tls/*.h src/lib/dicom/network/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared $(filter-out -pie,$(LDFLAGS)) -o $@ $(filter %.c,$^) -lssl -lcrypto

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
# A clone that root owns has no owner but root to run as.
UP_ROOT  := $(if $(AS_OWNER),,$(if $(filter 0,$(shell id -u)),--root))
CONF     ?= etc/dcmspool.conf
BATS     ?= tests
# SWEEP=N: what sweeps, over crash points, say, takes each Nth step; torture takes all, check a sample.
# SOAK=SECONDS: how long everything goes on at once.
# Tests wait for servers and deadlines more than they work.
JOBS     ?= $(shell echo $$((3 * $$(nproc))))
FAST      = tests/lib tests/configure tests/docs tests/route/rules.bats tests/route/rule_tool.bats

run:
	@$(MAKE) -s deps PACKAGES="$(RUN_PACKAGES)"
	@echo building ...
	@$(AS_OWNER) $(MAKE) -s all >/dev/null
	@$(AS_OWNER) bin/dcmspool up $(UP_ROOT) -c $(CONF)

demo:
	@$(AS_OWNER) $(MAKE) -s all >/dev/null
	@$(AS_OWNER) bin/dcmspool demo -c $(CONF)

torture: CHECK_PACKAGES += $(TORTURE_PACKAGES)
check check-fast torture: check-deps
	@$(AS_OWNER) $(MAKE) -s all tools
	@TORTURE=$(filter torture,$@) BIN=$(BIN) BUILD=$(BUILD) JOBS=$(JOBS) tests/suite \
		$(if $(filter check-fast,$@),$(FAST),$(BATS))

check-deps:
	@$(MAKE) -s deps PACKAGES="$(RUN_PACKAGES) $(CHECK_PACKAGES)"

tools: $(TOOLS)

bench: all tools
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/bench.sh
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/bench-connections.sh
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/bench-getdcmtags.sh
	BUILD=$(abspath $(BUILD)) tests/bench/bench-rules.sh
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/bench-dispatch.sh
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/bench-send.sh
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/bench-ahead.py
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/bench-queues.sh

# As whoever we are, when the packages are there. BATS: files or folders.
test: all tools
	BIN=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) bats --recursive --jobs $(JOBS) \
		--filter-tags '!torture' $(BATS)

# The rule language beside Python, at length; `make test` compares fewer expressions.
RULE_COUNT ?= 100000
check-rules: $(BUILD)/tests/rule_compare
	/usr/bin/python3 tests/lib/rule_oracle.py $(or $(RULE_SEED),1) $(RULE_COUNT) >$(BUILD)/expressions
	$(BUILD)/tests/rule_compare $(BUILD)/expressions

deps:
	@sh .ci/deps $(PACKAGES)

asan:
	$(MAKE) test BUILD=build-asan BIN=build-asan/bin \
		CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined" \
		LDFLAGS="-fsanitize=address,undefined"

# The header reader under libFuzzer; what it finds is kept in $(FUZZ).
FUZZ         ?= $(BUILD)/fuzz
FUZZ_SECONDS ?= 60
FUZZ_SRC     := tests/fuzz/fuzz_dicom.c $(filter-out %/layout.c,$(wildcard src/lib/dicom/*.c)) \
                src/lib/base/str.c
fuzz: $(BUILD)/tests/makestudy $(BUILD)/gen/dicom_dictionary_table.h
	@mkdir -p $(FUZZ)/corpus
	sh tests/fuzz/seeds.sh $(BUILD)/tests/makestudy $(FUZZ)/seeds
	clang $(CPPFLAGS) -std=c11 -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $(FUZZ)/fuzz_dicom $(FUZZ_SRC) -ljansson -lz
	cd $(FUZZ) && ./fuzz_dicom -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=10 \
		-rss_limit_mb=512 -print_final_stats=1 corpus seeds

# Lines of the header reader that its own tests execute.
coverage:
	$(MAKE) -s BUILD=build-coverage BIN=build-coverage/bin BATS=tests/lib/dicom.bats CFLAGS="-O0 -g --coverage" test
	gcov -n -o build-coverage/lib/dicom $(patsubst src/%.c,build-coverage/%.o,$(wildcard src/lib/dicom/*.c)) | awk -F "[':% ]+" '/^File .src.lib.dicom.[a-z_]*.c/ { file = $$2 } \
		/^Lines/ && file { printf "%6.2f %% of %3d lines  %s\n", $$3, $$5, file; \
			n += $$5; hit += $$3 * $$5 / 100; file = "" } \
		END { printf "%6.2f %% of %d lines\n", 100 * hit / n, n }'

# The rule language: compiler and evaluator, begun with what check-rules compares.
fuzz-rules:
	@mkdir -p $(FUZZ)/rules $(FUZZ)/rule-seeds
	/usr/bin/python3 tests/lib/rule_oracle.py 1 500 | cut -f1 | \
		(cd $(FUZZ)/rule-seeds && split -a 3 -l 1)
	clang $(CPPFLAGS) -std=c11 -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $(FUZZ)/fuzz_rule tests/fuzz/fuzz_rule.c \
		$(wildcard src/lib/rule/*.c) src/lib/base/str.c -lpcre2-8 -lm
	cd $(FUZZ) && ./fuzz_rule -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
		-rss_limit_mb=512 -print_final_stats=1 rules rule-seeds

# What a peer can send to us.
fuzz-network:
	@mkdir -p $(FUZZ)/network $(FUZZ)/network-seeds
	/usr/bin/python3 tests/fuzz/network_seeds.py $(FUZZ)/network-seeds
	clang $(CPPFLAGS) -std=c11 -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $(FUZZ)/fuzz_network tests/fuzz/fuzz_network.c \
		$(wildcard src/lib/dicom/network/*.c) src/lib/base/str.c
	cd $(FUZZ) && ./fuzz_network -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 \
		-rss_limit_mb=512 -print_final_stats=1 network network-seeds

# What is left out is style, or what clang 14 sees in our va_lists and tables for want of context.
TIDY        = -*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,$(TIDY_STYLE)
TIDY_STYLE  = -bugprone-narrowing-conversions,-bugprone-implicit-widening-of-multiplication-result,-bugprone-signed-char-misuse,-bugprone-macro-parentheses,-bugprone-branch-clone
MAN_PAGES   = $(wildcard src/*/*/*.[1-9] bin/*.[1-9] etc/*.[1-9])
lint: $(STAGES) $(BUILD)/gen/dicom_dictionary_table.h
	@$(MAKE) -s deps PACKAGES="$(LINT_PACKAGES)"
	sh tests/tools/layers.sh
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	shellcheck -x .ci/run .ci/deps tests/suite tests/stranger tests/harness/table $(SHELL_FILES) \
		$(wildcard src/*/*/*.sh) etc/systemd/dcmspool-generator etc/completion/dcmspool etc/debian/dcmspool.p*
	shellcheck -x -e SC2034,SC2154 $(wildcard tests/*.bash tests/*/*.sh tests/*/*.bash) # names that bats knows
	clang-tidy --quiet --warnings-as-errors='*' --checks='$(TIDY)' $(wildcard src/*/*/*.c src/*/*/*/*.c) -- \
		$(CPPFLAGS) -std=c11
	mandoc -T lint -W warning $(MAN_PAGES)
	cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability \
		--suppress=varFuncNullUB --suppress=unknownEvaluationOrder -Isrc/lib \
		'-Djson_array_foreach(a,i,v)=for(i=0;(v=json_array_get(a,i));i++)' \
		'-Djson_object_foreach(o,k,v)=for(k=0;(v=json_object_get(o,k));)' src
	# gcc 12 loses sight of what is stored through a table or a growing array; make asan finds leaks
	$(MAKE) -s BUILD=build-analyzer BIN=build-analyzer/bin all \
		CFLAGS="-O1 -g -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-file-leak -Werror"

# ---- installing -------------------------------------------------------------------------------------
# Built by the owner, also under sudo: only what is copied is copied as root.
LIBEXEC  = $(DESTDIR)$(PREFIX)/lib/dcmspool
SHARE    = $(DESTDIR)$(PREFIX)/share/dcmspool
MAN      = $(DESTDIR)$(PREFIX)/share/man
CONF_DIR = $(DESTDIR)$(SYSCONFDIR)/dcmspool
UNITS    = $(DESTDIR)$(SYSTEMD)/system
GENERATE = $(DESTDIR)$(SYSTEMD)/system-generators
SYSUSERS = $(DESTDIR)$(PREFIX)/lib/sysusers.d
TMPFILES = $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
COMPLETE = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
EXECUTABLES = $(PROGRAMS:%=$(BIN)/%) $(SHELL_FILES) $(DEMO_TOOLS)
BESIDE      = $(BIN)/storescp.dic $(PRELOADED) $(LOADED) spool-layout/directories
LINKS       = dcmspool getdcmtags
INSTALLED_CONF = sed 's|"../spool"|"/var/spool/dcmspool"|; s|"../archive"|"/var/lib/dcmspool/archive"|' etc/dcmspool.conf
# In units and pages stand the paths of the package, and of /usr/local: here those of this installation.
WHERE       = sed 's|/usr/bin/dcmspool|$(PREFIX)/bin/dcmspool|g; s|/usr/lib/dcmspool/|$(PREFIX)/lib/dcmspool/|g; \
                   s| /etc/dcmspool| $(SYSCONFDIR)/dcmspool|g; s|/usr/local/etc/|$(SYSCONFDIR)/|g; s|/usr/local/|$(PREFIX)/|g'
# The default site's units are the template's.
DEFAULT     = sed 's/dcmspool@%i/dcmspool/g; s/%i/dcmspool/g'
install:
	@$(AS_OWNER) $(MAKE) -s all
	@$(MAKE) only-installed
only-installed:
	install -d $(LIBEXEC) $(DESTDIR)$(PREFIX)/bin $(SHARE) $(CONF_DIR)/conf.d $(UNITS) $(GENERATE) $(SYSUSERS) \
		$(TMPFILES) $(COMPLETE)
	install $(EXECUTABLES) $(LIBEXEC)
	install -m 644 $(BESIDE) $(LIBEXEC)
	install -m 644 spool-layout/STATES.md spool-layout/states $(SHARE)
	ln -sf $(LINKS:%=../lib/dcmspool/%) $(DESTDIR)$(PREFIX)/bin
	test -e $(CONF_DIR)/dcmspool.conf || $(INSTALLED_CONF) >$(CONF_DIR)/dcmspool.conf
	for unit in service socket; do \
		$(WHERE) etc/systemd/dcmspool@.$$unit >$(UNITS)/dcmspool@.$$unit && \
		$(DEFAULT) $(UNITS)/dcmspool@.$$unit >$(UNITS)/dcmspool.$$unit || exit; done
	$(WHERE) etc/systemd/dcmspool-generator >$(GENERATE)/dcmspool-generator
	chmod 755 $(GENERATE)/dcmspool-generator
	install -m 644 etc/systemd/dcmspool.sysusers $(SYSUSERS)/dcmspool.conf
	install -m 644 etc/systemd/dcmspool.tmpfiles $(TMPFILES)/dcmspool.conf
	install -m 644 etc/completion/dcmspool $(COMPLETE)
	for page in $(MAN_PAGES); do \
		to=$(MAN)/man$${page##*.} && install -d $$to && $(WHERE) $$page >$$to/$$(basename $$page) || exit; done

# What install has put there, and nothing else: not a configuration that somebody has changed, nor a sender
# of the site's own.
uninstall:
	rm -f $(addprefix $(LIBEXEC)/,$(notdir $(EXECUTABLES) $(BESIDE))) $(SHARE)/STATES.md $(SHARE)/states \
		$(LINKS:%=$(DESTDIR)$(PREFIX)/bin/%) $(UNITS)/dcmspool.service $(UNITS)/dcmspool.socket \
		$(UNITS)/dcmspool@.service $(UNITS)/dcmspool@.socket $(GENERATE)/dcmspool-generator \
		$(SYSUSERS)/dcmspool.conf $(TMPFILES)/dcmspool.conf $(COMPLETE)/dcmspool
	for page in $(MAN_PAGES); do rm -f $(MAN)/man$${page##*.}/$$(basename $$page); done
	! $(INSTALLED_CONF) | cmp -s - $(CONF_DIR)/dcmspool.conf || rm -f $(CONF_DIR)/dcmspool.conf
	for one in $(LIBEXEC) $(SHARE) $(CONF_DIR)/conf.d $(CONF_DIR); do \
		[ ! -d $$one ] || rmdir --ignore-fail-on-non-empty $$one; done

# A Debian package of what is committed, once for each commit; a later one's upgrades it. It is built, and cleaned,
# by a make of its own, which must not know our $(BUILD).
VERSION  = 0.1+git$(shell TZ=UTC git log -1 --date=format-local:%Y%m%d.%H%M%S --format=%cd.%h)
DEB      = $(BUILD)/deb
DEB_TREE = $(DEB)/dcmspool-$(VERSION)
deb:
	@$(MAKE) -s deps PACKAGES="$(RUN_PACKAGES) $(DEB_PACKAGES)"
	@$(AS_OWNER) $(MAKE) -s package
package:
	@ls $(DEB)/dcmspool_$(VERSION)_*.deb 2>/dev/null || $(MAKE) -s package-anew VERSION=$(VERSION)
package-anew:
	rm -rf $(DEB)
	mkdir -p $(DEB_TREE)
	git archive HEAD | tar -x -C $(DEB_TREE)
	mv $(DEB_TREE)/etc/debian $(DEB_TREE)/debian
	sed -i '1s/([^)]*)/($(VERSION))/' $(DEB_TREE)/debian/changelog
	cd $(DEB_TREE) && env -i PATH="$$PATH" HOME=/nonexistent dpkg-buildpackage -b -us -uc >../log 2>&1 || { tail -n 40 ../log; exit 1; }
	rm -r $(DEB_TREE)
	lintian --allow-root --fail-on error,warning $(DEB)/*.changes
	@ls $(DEB)/dcmspool_$(VERSION)_*.deb

clean:
	rm -rf $(BUILD) build-asan build-analyzer build-coverage $(PROGRAMS:%=$(BIN)/%) $(BIN)/storescp.dic \
		$(PRELOADED) $(LOADED)

.PHONY: all run demo check check-fast torture check-deps tools test check-rules fuzz-rules fuzz-network bench deps \
	asan coverage fuzz lint install only-installed uninstall deb package package-anew clean always
