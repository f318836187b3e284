# SPDX-License-Identifier: BSD-2-Clause
# make [all]            the programs, in build/bin/
# make check            unit tests of every folder; make check-base: of one folder; make tests: builds them
# make MODE=asan check  the same under AddressSanitizer and UBSan, in build-asan/
# make fuzz             every x_fuzz.c for FUZZ_SECONDS each; FUZZ=tree_fuzz: one; FUZZ_RUNS=0: its seeds once
# make lint             layers, house rules, layout
# make docs             what is generated in docs/, and the JSON Schema; ci/check docs fails when they are stale
# make format           lays out FILES (all .c files) as .clang-format says
# make install          PREFIX (/usr/local), DESTDIR
# BUILD=dir builds elsewhere. WERROR=1 makes warnings errors. V=1 shows the commands.

.DEFAULT_GOAL := all
MODE ?= release
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 20
PKG_CONFIG ?= pkg-config
CLANG ?= clang
CLANG_FORMAT ?= clang-format
Q := $(if $(V),,@)

BUILD_release := build
BUILD_asan := build-asan
BUILD_fuzz := build/fuzz
BUILD ?= $(BUILD_$(MODE))
ifeq ($(BUILD),)
$(error MODE is release or asan, not '$(MODE)')
endif

MODE_CFLAGS_release := -O2 -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
MODE_CFLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
MODE_CFLAGS_fuzz := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
MODE_LDFLAGS_asan := -fsanitize=address,undefined
MODE_LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined
ifeq ($(MODE),fuzz)
override CC := $(CLANG)
endif

WARNINGS := -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
            -Werror=return-type -Werror=implicit-function-declaration
CFLAGS ?= -g
ALL_CFLAGS = -std=gnu11 $(MODE_CFLAGS_$(MODE)) $(WARNINGS) $(if $(WERROR),-Werror) $(CFLAGS) \
             -I. -D_GNU_SOURCE $(CPPFLAGS) -MMD -MP
ALL_LDFLAGS = $(MODE_LDFLAGS_$(MODE)) $(LDFLAGS) -Wl,--as-needed

# Folders, the archives each one's code may link (its own first), and the libraries behind them.
FOLDERS := base fakeca fakedns fakemx fakests engine harness
ADAPTERS := $(patsubst harness/adapters/%/,%,$(wildcard harness/adapters/*/))

USES_base := base
USES_fakeca := fakeca base
USES_fakedns := fakedns base
USES_fakemx := fakemx base
USES_fakests := fakests base
USES_engine := engine base
USES_harness := harness fakeca fakedns fakemx fakests base

PACKAGES_base := yaml-0.1 libevent openssl
PACKAGES_fakeca := libevent openssl
PACKAGES_fakedns := ldns openssl libevent
PACKAGES_fakemx := libevent_openssl libevent openssl
PACKAGES_fakests := libevent_openssl libevent openssl
PACKAGES_engine := libunbound libidn2 libcurl sqlite3 jansson zlib libevent_openssl libevent openssl
PACKAGES_harness := jansson libmnl zlib openssl

# A folder's objects: all of its sources but tests, fuzz targets and mains. Tests alone link base/testing.c.
sources = $(filter-out %_test.c %_fuzz.c %_main.c base/testing.c,$(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
archives = $(foreach folder,$(USES_$(1)),$(BUILD)/lib/$(folder).a)
packages = $(sort $(foreach folder,$(USES_$(1)),$(PACKAGES_$(folder))))

define folder_rules
CFLAGS_$(1) := $$(shell $$(PKG_CONFIG) --cflags $$(packages_$(1)))
LIBS_$(1) := $$(shell $$(PKG_CONFIG) --libs $$(packages_$(1)))
$$(BUILD)/lib/$(1).a: $$(call objects,$$(call sources,$(1)))
TESTS += $$(if $$(wildcard $(1)/*_test.c),$(1))
$$(BUILD)/test/$(1)_test: $$(call objects,$$(wildcard $(1)/*_test.c) base/testing.c) $$(call archives,$(1))
$$(BUILD)/test/$(1)_test: private LIBS = $$(LIBS_$(1)) $$(CHECK_LIBS)
endef
$(foreach folder,$(FOLDERS),$(eval packages_$(folder) := $(call packages,$(folder))))
$(foreach folder,$(FOLDERS),$(eval $(call folder_rules,$(folder))))

# An adapter in C links what adapters share (harness/adapters/*.c) and base, nothing else of ours. Tests stand next to
# the code of both. adapter_rules(name, folder)
PACKAGES_adapter := jansson
USES_adapter := adapter base
LIBS_adapter := $(shell $(PKG_CONFIG) --libs $(call packages,adapter))
define adapter_rules
LIBS_$(1) := $$(LIBS_adapter)
$$(BUILD)/lib/$(1).a: $$(call objects,$$(call sources,$(2)))
TESTS += $$(if $$(wildcard $(2)/*_test.c),$(1))
$$(BUILD)/test/$(1)_test: $$(call objects,$$(wildcard $(2)/*_test.c) base/testing.c) $$(call archives,$(1))
$$(BUILD)/test/$(1)_test: private LIBS = $$(LIBS_adapter) $$(CHECK_LIBS)
endef
$(foreach adapter,$(ADAPTERS),$(eval USES_adapter_$(adapter) := adapter_$(adapter) adapter base))
$(eval $(call adapter_rules,adapter,harness/adapters))
$(foreach adapter,$(ADAPTERS),$(eval $(call adapter_rules,adapter_$(adapter),harness/adapters/$(adapter))))

CHECK_CFLAGS := $(shell $(PKG_CONFIG) --cflags check 2>/dev/null)
CHECK_LIBS := $(shell $(PKG_CONFIG) --libs check 2>/dev/null)

# program(name, main without .c, folder): built only when its main exists.
define program
ifneq ($$(wildcard $(strip $(2)).c),)
PROGRAMS += $$(BUILD)/bin/$(1)
$$(BUILD)/bin/$(1): $$(BUILD)/obj/$(strip $(2)).o $$(call archives,$(3))
$$(BUILD)/bin/$(1): private LIBS = $$(LIBS_$(3))
endif
endef
$(eval $(call program,fakedns,fakedns/fakedns_main,fakedns))
$(eval $(call program,fakemx,fakemx/fakemx_main,fakemx))
$(eval $(call program,fakests,fakests/fakests_main,fakests))
$(eval $(call program,mtalab-engine,engine/engine_main,engine))
$(eval $(call program,mtalab,harness/mtalab_main,harness))
$(foreach adapter,$(ADAPTERS),$(eval $(call program,mtalab-adapter-$(adapter),\
    harness/adapters/$(adapter)/adapter_$(adapter)_main,adapter_$(adapter))))

# Adapters that are scripts: linked in, so that they find their other files next to their real path.
SCRIPT_ADAPTERS := $(notdir $(wildcard $(foreach adapter,$(ADAPTERS),\
    harness/adapters/$(adapter)/mtalab-adapter-$(adapter))))
SCRIPTS := $(addprefix $(BUILD)/bin/,$(SCRIPT_ADAPTERS))

.PHONY: all check docs bench fuzz fuzz-run lint format install clean
.DELETE_ON_ERROR:
.SECONDARY:
all: $(PROGRAMS) $(SCRIPTS)

$(PROGRAMS):
	@mkdir -p $(@D)
	$(if $(V),,@echo "  link    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

$(SCRIPTS): $(BUILD)/bin/mtalab-adapter-%:
	@mkdir -p $(@D)
	ln -sfn $(CURDIR)/harness/adapters/$*/mtalab-adapter-$* $@

# Written aside and renamed, so that two runs of make at once never see half an archive.
$(BUILD)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@.$$$$ && $(AR) rcsD $@.$$$$ $^ && mv $@.$$$$ $@

folder_of = $(firstword $(subst /, ,$(1)))
$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  compile $<")
	$(Q)$(CC) $(ALL_CFLAGS) $(CFLAGS_$(call folder_of,$*)) $(if $(filter %_test base/testing,$*),$(CHECK_CFLAGS)) -c -o $@ $<

$(BUILD)/obj/harness/report_html.o: harness/report_page.html

# Tests. Under a sanitizer everything stays in one process, so that leaks are seen.
TEST_ENVIRONMENT_asan := CK_FORK=no
TEST_PROGRAMS := $(foreach test,$(TESTS),$(BUILD)/test/$(test)_test)
.PHONY: tests
tests: $(TEST_PROGRAMS)

$(TEST_PROGRAMS):
	@mkdir -p $(@D)
	$(if $(V),,@echo "  link    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

CHECKS := $(addprefix check-,$(TESTS))
.PHONY: $(CHECKS)
$(CHECKS): check-%: $(BUILD)/test/%_test
	$(TEST_ENVIRONMENT_$(MODE)) $<

check: all tests
	@failed=; for test in $(TEST_PROGRAMS); do \
	    $(TEST_ENVIRONMENT_$(MODE)) $$test || failed="$$failed $$test"; \
	done; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# DOCS=dir writes them below dir.
DOCS ?= .
docs: $(BUILD)/bin/mtalab
	ci/write-docs $< $(DOCS)

bench: all
	ci/bench/run.sh

# Fuzzing builds everything a second time, with clang, in build/fuzz/.
FUZZ_SOURCES := $(foreach folder,$(FOLDERS),$(wildcard $(folder)/*_fuzz.c))
FUZZ ?= $(basename $(notdir $(FUZZ_SOURCES)))
FUZZ_LIMIT = $(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(FUZZ_SECONDS))

fuzz:
	+@$(MAKE) --no-print-directory MODE=fuzz BUILD=$(BUILD_fuzz) fuzz-run

ifeq ($(MODE),fuzz)
define fuzz_rules
$$(BUILD)/$(2): $$(BUILD)/obj/$(1)/$(2).o $$(call archives,$(1))
	$$(if $$(V),,@echo "  link    $$@")
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
run-$(2): $$(BUILD)/$(2)
	@mkdir -p $$(BUILD)/corpus/$(2)
	$$< $$(FUZZ_LIMIT) -timeout=10 -print_final_stats=0 -verbosity=$$(if $$(FUZZ_VERBOSE),1,0) \
	    $$(addprefix -dict=,$$(wildcard $(1)/$(2).dict)) -artifact_prefix=$$(BUILD)/$(2)- $$(BUILD)/corpus/$(2) \
	    $$(wildcard $(1)/$(2)_seeds)
.PHONY: run-$(2)
endef
$(foreach source,$(FUZZ_SOURCES),$(eval $(call fuzz_rules,$(call folder_of,$(source)),$(basename $(notdir $(source))))))
fuzz-run: $(addprefix run-,$(FUZZ))
endif

SOURCES = $(foreach folder,$(FOLDERS) harness/adapters $(ADAPTERS:%=harness/adapters/%),$(wildcard $(folder)/*.c))
lint:
	ci/check-layers.sh
	ci/check-rules.sh
	@CLANG_FORMAT=$(CLANG_FORMAT) ci/check-layout.sh $(SOURCES)

FILES ?= $(SOURCES)
format:
	$(CLANG_FORMAT) -i $(FILES)

# Manual pages and completion are made of what the programs say of themselves.
$(BUILD)/share: $(BUILD)/bin/mtalab $(BUILD)/bin/mtalab-engine ci/write-man
	ci/write-man $(BUILD)/bin $@
	@touch $@

ROOT := $(DESTDIR)$(PREFIX)
SHARE := $(ROOT)/share/mtalab
UNITS := mtalab-engine.service mtalab-engine-alerts.service mtalab-engine-alerts.timer
install: all $(BUILD)/share
	install -d $(ROOT)/bin $(SHARE)
	$(if $(PROGRAMS),install -m 755 $(PROGRAMS) $(ROOT)/bin)
	cp -R scenarios $(SHARE)/
	@for list in $(wildcard harness/adapters/*/known-failures.yaml); do \
	    install -D -m 644 $$list $(SHARE)/$${list#harness/} || exit 1; \
	done
	@for name in $(SCRIPT_ADAPTERS:mtalab-adapter-%=%); do \
	    install -d $(SHARE)/adapters/$$name && \
	    cp -R harness/adapters/$$name/. $(SHARE)/adapters/$$name/ && \
	    ln -sfn ../share/mtalab/adapters/$$name/mtalab-adapter-$$name \
	        $(ROOT)/bin/mtalab-adapter-$$name || exit 1; \
	done
	@for page in $(BUILD)/share/man/*; do install -D -m 644 -t $(ROOT)/share/man/man$${page##*.} $$page || exit 1; done
	install -D -m 644 -t $(ROOT)/share/bash-completion/completions $(BUILD)/share/completion/*
	install -D -m 644 -t $(ROOT)/share/doc/mtalab docs/*.md
	install -D -m 644 -t $(ROOT)/share/doc/mtalab/examples docs/examples/*.yaml
	install -D -m 755 -t $(ROOT)/share/doc/mtalab/examples docs/examples/mtalab-adapter-*
	install -D -m 644 dist/mtalab.sysusers $(ROOT)/lib/sysusers.d/mtalab.conf
	install -d $(ROOT)/lib/systemd/system
	@for unit in $(UNITS); do sed 's|@BIN@|$(PREFIX)/bin|' dist/$$unit >$(ROOT)/lib/systemd/system/$$unit || exit 1; done

clean:
	rm -rf build build-asan

-include $(shell test -d $(BUILD)/obj && find $(BUILD)/obj -name '*.d')
