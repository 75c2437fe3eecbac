# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# epollscope: `make help` lists the targets. Everything is built under build/.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

VERSION := 0.1.0

# What may be set on the command line: make CC=clang-14 BPF_CLANG=clang-19 WERROR=1 V=1 SAN=1
ifeq ($(origin CC),default)
CC := gcc
endif
BPF_CLANG ?= clang-14
BPFTOOL ?= bpftool
CFLAGS ?= -g -O2
BUILD ?= build$(if $(SAN),/san)
prefix ?= /usr/local
Q := $(if $(V),,@)
JOBS := -j$(shell nproc 2>/dev/null || echo 2)

# bpftool lives in sbin, which a user's PATH may lack.
export PATH := $(PATH):/usr/sbin:/sbin

# Architecture of the BPF objects, in libbpf's words.
ARCH ?= $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(shell uname -m)))

comma := ,
warnings := -Wall -Wextra $(if $(WERROR),-Werror)
# BPF_PROG() gives every program a ctx that most do not use.
bpf_flags := -g -O2 -mcpu=v3 -target bpf -Ivmlinux -Ibpf -I. $(warnings) -Wno-unused-parameter
# Empty, so that a file may say `#define _GNU_SOURCE` too.
c_flags := -std=gnu11 -D_GNU_SOURCE= -I. -Iuser -I$(BUILD) -DEPOLLSCOPE_VERSION='"$(VERSION)"' \
	$(warnings) -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	$(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined \
		-fno-omit-frame-pointer)
libs := -lbpf -ldw -lelf -lz -llzma -lbz2 -liberty -lm -pthread -lmicrohttpd -lcap-ng -lseccomp

# --- Sources: every file of a folder belongs to what the folder makes -------------------------

# The owner of the maps is linked first: bpftool 7.1 loses the place of a map that it meets as extern.
bpf_src := $(sort $(wildcard bpf/maps.bpf.c)) $(filter-out bpf/maps.bpf.c,$(wildcard bpf/*.bpf.c))
user_src := $(wildcard user/*.c user/*/*.c flamegraph/*.c)
server_src := $(wildcard tools/epollserver/*.c)
load_src := $(wildcard tools/epollload/*.c)
unit_src := $(wildcard tests/unit/*.c)
live_src := $(wildcard tests/live/*.c)
bench_src := $(wildcard tests/bench/*.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
user_obj := $(call obj,$(user_src))
lib_obj := $(filter-out $(BUILD)/obj/user/main.o,$(user_obj))
helper_obj := $(call obj,$(filter-out tests/unit/test_%,$(unit_src)))
bpf_dir := $(BUILD)/bpf/$(ARCH)
bpf_obj := $(bpf_src:bpf/%.c=$(bpf_dir)/%.o)
bpf_linked := $(if $(bpf_src),$(bpf_dir)/epollscope.bpf.o)
skeleton := $(if $(bpf_src),$(BUILD)/epollscope.skel.h)

programs := $(if $(wildcard user/main.c),$(BUILD)/epollscope) \
	$(if $(server_src),$(BUILD)/epollserver) $(if $(load_src),$(BUILD)/epollload)
unit_tests := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(filter tests/unit/test_%,$(unit_src)))
live_programs := $(live_src:tests/live/%.c=$(BUILD)/tests/live/%)
bench_programs := $(bench_src:tests/bench/%.c=$(BUILD)/tests/bench/%)
vm_programs := $(if $(wildcard user/main.c),$(BUILD)/vm/epollscope) \
	$(live_src:tests/live/%.c=$(BUILD)/vm/live/%)

# --- Targets for people -----------------------------------------------------------------------

.PHONY: help all bpf bpf-arm64 skeleton unit-tests live-programs bench-programs vm-programs deps \
	have-deps demo check check-unit check-live check-vm bench lint clean install uninstall FORCE

help:
	@echo 'make               build/epollscope, build/epollserver, build/epollload'
	@echo 'make deps          install the Debian packages that building and testing need'
	@echo 'make demo          install, build, watch a server with a fault for 5 s, print its report'
	@echo 'make check         every test, and the sum: N passed, N failed'
	@echo 'make check-unit    tests/unit: no root needed'
	@echo 'make check-live    tests/live: real servers under load, needs root'
	@echo 'make check-vm      tests/vm: the same on other kernels, under qemu'
	@echo 'make bench         what watching costs; servers, backends, many connections side by side'
	@echo 'make lint          scripts, man pages, licence lines, no binaries; formatting as a hint'
	@echo 'make bpf-arm64     the kernel side for arm64 (needs no arm64 machine)'
	@echo 'make install       to $$(DESTDIR)$$(prefix), prefix=/usr/local; make uninstall undoes it'
	@echo 'make clean         remove build/'
	@echo
	@echo 'V=1 shows commands, WERROR=1 makes warnings errors, SAN=1 builds with sanitizers into'
	@echo 'build/san/; CC=gcc, BPF_CLANG=clang-14, CFLAGS and LDFLAGS can be replaced.'

all: $(programs)

bpf: $(bpf_linked)
bpf-arm64:
	$(Q)$(MAKE) --no-print-directory ARCH=arm64 bpf
skeleton: $(skeleton)
unit-tests: $(unit_tests)
live-programs: $(live_programs)
bench-programs: $(bench_programs)
vm-programs: $(vm_programs)

deps:
	@tools/deps install build test

# Says which packages are missing, before a compiler says it in its own words.
have-deps:
	@tools/deps check build

demo:
	@tools/deps install build
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
	@BUILD=$(BUILD) tools/demo

check check-unit check-live check-vm:
	@tools/deps install build test
	@BUILD=$(BUILD) tests/run $(patsubst check-%,%,$(@:check=all))

bench: all live-programs bench-programs
	@BUILD=$(BUILD) tests/bench/run

lint:
	@tools/lint

clean:
	$(Q)rm -rf build

bin_dir = $(DESTDIR)$(prefix)/bin
man_dir = $(DESTDIR)$(prefix)/share/man/man1
completion_dir = $(DESTDIR)$(prefix)/share/bash-completion/completions
installed := epollscope epollserver epollload

install: all
	install -D -m 755 -t $(bin_dir) $(addprefix $(BUILD)/,$(installed))
	install -D -m 644 -t $(man_dir) $(installed:%=docs/%.1)
	install -D -m 644 tools/completions/epollscope.bash $(completion_dir)/epollscope

uninstall:
	rm -f $(installed:%=$(bin_dir)/%) $(installed:%=$(man_dir)/%.1) $(completion_dir)/epollscope

# --- Kernel side: one object a file, linked into one, turned into a skeleton ------------------

say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

$(bpf_obj): $(bpf_dir)/%.bpf.o: bpf/%.bpf.c $(BUILD)/flags.bpf | have-deps
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(BPF_CLANG) $(bpf_flags) -D__TARGET_ARCH_$(ARCH) -MMD -MP -c $< -o $@

# The linker leaves DWARF behind and keeps BTF.
$(bpf_linked): $(bpf_obj) $(BUILD)/sources.bpf
	$(call say,LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $(bpf_obj)

$(skeleton): $(bpf_linked)
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name epollscope_bpf > $@

# --- User side --------------------------------------------------------------------------------

$(BUILD)/obj/%.o: %.c $(BUILD)/flags.c | have-deps
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(c_flags) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# Only this room knows the skeleton.
$(filter $(BUILD)/obj/user/kernel/%,$(user_obj)): | $(skeleton)

# Files that become C strings: styles and scripts without comments and indentation, a JSON schema as
# one line, prose as it is.
asset_dirs := flamegraph user/render user/export
assets := $(patsubst %,$(BUILD)/%.h,$(wildcard $(foreach dir,$(asset_dirs),$(dir)/*.css $(dir)/*.js \
	$(dir)/*.json $(dir)/*.md)))
strip := -e 's/^[[:space:]]*//' -e '/^$$/d' -e '/^\/\//d' -e '/^\/\*.*\*\/$$/d'
quote := -e 's/[\"]/\\&/g'
to_string.css = $(strip) $(quote) -e 's/.*/"&\\n"/'
to_string.js = $(to_string.css)
to_string.json = -e 's/^ *//' $(quote) -e 's/.*/"&"/' -e '$$s/$$/"\\n"/'
to_string.md = $(quote) -e 's/.*/"&\\n"/'

$(assets): $(BUILD)/%.h: % $(BUILD)/flags.c
	$(call say,TEXT,$@)
	@mkdir -p $(@D)
	$(Q)sed $(to_string$(suffix $<)) $< > $@

$(user_obj): | $(assets)

$(BUILD)/libepollscope.a: $(lib_obj) $(BUILD)/sources.c
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) qcs $@ $(lib_obj)

link = $(CC) $(c_flags) $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -o $@

$(BUILD)/epollscope: $(BUILD)/obj/user/main.o $(BUILD)/libepollscope.a
	$(call say,LINK,$@)
	$(Q)$(link) $^ $(libs)

# So that its stacks can be followed.
$(call obj,$(server_src) tests/live/blocker.c): CFLAGS += -fno-omit-frame-pointer
$(BUILD)/epollserver: $(call obj,$(server_src)) $(BUILD)/sources.c
$(BUILD)/epollload: $(call obj,$(load_src) user/base/quantity.c) $(BUILD)/sources.c
$(BUILD)/epollserver $(BUILD)/epollload:
	$(call say,LINK,$@)
	$(Q)$(link) $(filter %.o,$^) -lm -pthread

$(BUILD)/tests/test_load_histogram: $(BUILD)/obj/tools/epollload/histogram.o

$(bench_programs): $(BUILD)/tests/bench/%: $(BUILD)/obj/tests/bench/%.o $(helper_obj) \
		$(BUILD)/libepollscope.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) $^ $(libs)

$(unit_tests): $(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(helper_obj) $(BUILD)/libepollscope.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) $^ -lcmocka $(libs)

# The flame graph's own program, for its tests: it needs nothing of user/ but base.
$(BUILD)/tests/live/fold2svg $(BUILD)/vm/live/fold2svg: \
		$(call obj,$(wildcard flamegraph/*.c user/base/*.c))

$(BUILD)/tests/live/%: $(BUILD)/obj/tests/live/%.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) $^ -lm -pthread

# Static twins, which run in the virtual machines without anybody's libraries.
# Some of export's libraries have no static form: its command is replaced, so nothing asks for them.
vm_libs := $(filter-out -lmicrohttpd -lseccomp,$(libs))

# libcap-ng can look users up, which a static program could not: we do not ask it to.
$(BUILD)/vm/epollscope: $(BUILD)/obj/user/main.o $(BUILD)/obj/tests/vm/no_export.o \
		$(BUILD)/libepollscope.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) -static -Wl$(comma)--no-warnings $^ $(vm_libs)

$(BUILD)/vm/live/%: $(BUILD)/obj/tests/live/%.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) -static $^ -lm -pthread

.SECONDARY:

# --- What else things depend on ---------------------------------------------------------------

# These files change when a flag or the list of sources does; -Werror makes no other object.
flags.c = $(filter-out -Werror,$(CC) $(c_flags) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(libs))
flags.bpf = $(filter-out -Werror,$(BPF_CLANG) $(bpf_flags) $(BUILD))
sources.c = $(user_src) $(server_src) $(load_src)
sources.bpf = $(bpf_src)
stamps := $(addprefix $(BUILD)/,flags.c flags.bpf sources.c sources.bpf)
export stamp_text = $($(@F))

$(stamps): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$stamp_text" | cmp -s - $@ || printf '%s\n' "$$stamp_text" > $@

FORCE:

-include $(patsubst %.o,%.d,$(bpf_obj) $(user_obj) $(call obj,$(server_src) $(load_src) \
	$(unit_src) $(live_src) $(bench_src)))
