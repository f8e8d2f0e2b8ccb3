# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The build engine. One make process reads every Kbuild fragment, so there is one dependency graph: -j is safe and a
# rebuild does exactly what changed. What is built stands in Kbuild; this file only says how.
#
#   make                 all programs, into build/bin/          make V=1     show whole command lines
#   make test            set up, build and run every test, JOBS at once    make SAN=1   the same with ASan and UBSan, in build-san/
#   make run             the main job, in a sandbox             make run KEEP=1  leave it up ("make down" ends it)
#   make soak            the slow tests                         make bench   the figures
#   make install DESTDIR= PREFIX=                               make compile_commands.json    make clean

SAN     ?=
JOBS    ?= $(shell n=$$(nproc); echo $$((n < 4 ? n : 4)))
O       ?= build$(if $(filter 1,$(SAN)),-san)
PREFIX  ?= /usr/local
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CLANG   ?= clang-14
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)

CFLAGS   := -std=gnu17 -g -O2 -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter \
	    -D_GNU_SOURCE -fstack-protector-strong $(if $(filter 1,$(WERROR)),-Werror)
CPPFLAGS := -Iinclude -I$(O)/gen
LDFLAGS  := -Wl,--as-needed -Wl,-z,relro,-z,now -Wl,--export-dynamic-symbol=_gnutls_global_init_skip
LDLIBS   := -lcurl -luv -lnghttp2 -lssl -lcrypto -lsqlite3 -lyaml -lbpf -lelf -lmnl -lnftnl -lprotobuf-c -lz -lm -lpthread
ifeq ($(SAN),1)
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=address,undefined
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif
CFLAGS   += $(if $(filter 1,$(FUZZ)),-fsanitize=fuzzer-no-link)
BPFFLAGS := --target=bpf -mcpu=v3 -g -O2 -Wall -Wextra -Wno-unused-parameter -Iinclude -Ibpf \
	    -idirafter /usr/include/$(shell uname -m)-linux-gnu $(if $(filter 1,$(WERROR)),-Werror)

.PHONY: all setup test soak run down bench install clean FORCE
all:

# --- what there is: read <dir>/Kbuild, note its objects under their targets, follow its "sub/" entries
lists   := lib-y prog-y test-y bpf-y proto-y obj-y
define collect
$(foreach v,$(lists) $(addsuffix -y,$(targets)),$(eval $(v) :=))
$(eval obj := $(1))
$(eval include $(1)Kbuild)
$(eval targets += $(lib-y) $(prog-y))
$(eval libs += $(lib-y))
$(eval progs += $(prog-y))
$(eval tests += $(addprefix $(O)/$(1),$(test-y)))
$(eval bpfobjs += $(addprefix $(O)/$(1),$(bpf-y)))
$(eval protos += $(addprefix $(1),$(proto-y)))
$(foreach t,$(targets),$(eval $(t)-objs += $(addprefix $(O)/$(1),$($(t)-y))))
$(foreach d,$(addprefix $(1),$(filter %/,$(obj-y))),$(call collect,$(d)))
endef
targets :=
libs    :=
progs   :=
tests   :=
bpfobjs :=
protos  :=
$(call collect,)

bins := $(addprefix $(O)/bin/,$(progs))
fuzz := $(patsubst %.c,$(O)/%,$(wildcard selftests/fuzz/*.c))
skel_of = $(addprefix $(O)/gen/,$(notdir $(1:.bpf.o=.skel.h)))
ars  := $(patsubst %,$(O)/lib/%.a,$(libs))
pbgen := $(addprefix $(O)/gen/,$(notdir $(protos:.proto=.pb-c.h)))
objs := $(sort $(foreach t,$(targets),$($(t)-objs)) $(addsuffix .o,$(tests) $(if $(filter 1,$(FUZZ)),$(fuzz))))

all: $(bins)

# --- how: a target is made again when a prerequisite is newer, or when its command line is another than last time
Q     := $(if $(filter 1,$(V)),,@)
empty :=
space := $(empty) $(empty)
cmd_of = $(dir $(1)).$(notdir $(1)).cmd
word1  = $(subst $(space),_,$(strip $(1)))
other  = $(filter-out _$(call word1,$(saved_$@)),_$(call word1,$(1)))
make   = $(if $(filter-out FORCE,$?)$(call other,$(cmd_$(1))),$(call remake,$(1)))
define remake
$(if $(wildcard $(@D)),,$(shell mkdir -p $(@D)))$(file >$(call cmd_of,$@),saved_$@ := $(cmd_$(1)))
$(if $(Q),@printf '  %-6s  %s\n' $(1) $(patsubst $(O)/%,%,$@))
$(Q)$(cmd_$(1))
endef

cmd_CC    = $(CC) $(CPPFLAGS) $(CFLAGS) $(CFLAGS_$(notdir $@)) -MMD -MP -MF $@.d -c $< -o $@
cmd_BPF   = $(CLANG) $(BPFFLAGS) -MMD -MP -MF $@.d -c $< -o $@
# "gen object" leaves out DWARF, which the kernel does not want; BTF stays
cmd_SKEL  = $(BPFTOOL) gen object $(@:.skel.h=.bpf.o) $< && $(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.o) name $(basename $(basename $(@F))) > $@
cmd_PROTO = protoc-c --proto_path=$(<D) --c_out=$(@D) $(<F)
cmd_AR    = rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
cmd_LD    = $(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o %.a,$^) $(LDLIBS) $(LDLIBS_$(notdir $@)) -o $@

# what protoc-c makes of messages is there before anything is compiled: who includes it is known only afterwards
$(filter-out %.bpf.o %.pb-c.o,$(objs)): $(O)/%.o: %.c FORCE | $(pbgen)
	$(call make,CC)
define from_proto
$(2).pb-c.h: $(1) FORCE
	$$(call make,PROTO)
$(2).pb-c.c: $(2).pb-c.h ;
$(O)/$(1:.proto=.pb-c.o): $(2).pb-c.c FORCE
	$$(call make,CC)
endef
$(foreach p,$(protos),$(eval $(call from_proto,$(p),$(O)/gen/$(basename $(notdir $(p))))))
$(bpfobjs): $(O)/%.bpf.o: %.bpf.c FORCE
	$(call make,BPF)
define to_skel
$(2): $(1) FORCE
	$$(call make,SKEL)
endef
$(foreach b,$(bpfobjs),$(eval $(call to_skel,$(b),$(call skel_of,$(b)))))
$(foreach l,$(libs),$(eval $(O)/lib/$(l).a: $($(l)-objs)))
$(ars): FORCE
	$(call make,AR)
$(foreach p,$(progs),$(eval $(O)/bin/$(p): $($(p)-objs) $(patsubst %,$(O)/lib/%.a,$($(p)-libs))))
$(bins): FORCE
	$(call make,LD)
# a unit test may reach into every part, so it links them all; an archive gives only what is asked of it
$(tests): LDLIBS += -lcmocka
$(tests): $(O)/%: $(O)/%.o $(patsubst %,$(O)/lib/%.a,$(test-libs)) FORCE
	$(call make,LD)

$(fuzz): LDFLAGS += -fsanitize=fuzzer
$(fuzz): $(O)/%: $(O)/%.o $(patsubst %,$(O)/lib/%.a,$(test-libs)) FORCE
	$(call make,LD)

-include $(addsuffix .d,$(objs) $(bpfobjs))
saved := $(fuzz) $(objs) $(pbgen) $(bpfobjs) $(ars) $(bins) $(tests) $(call skel_of,$(bpfobjs))
-include $(wildcard $(foreach t,$(saved),$(call cmd_of,$(t))))

# --- what people ask for
.PHONY: programs tests fuzzers
programs: $(bins)
fuzzers: $(fuzz)
tests: $(bins) $(tests)

setup:
	@tools/setup/install.sh
test: setup
	@+$(MAKE) --no-print-directory SAN=$(SAN) O=$(O) tests
	@tools/check/run_tests.pl --build $(O) --jobs $(JOBS) selftests
soak: setup
	@tools/setup/install.sh libclang-rt-14-dev qemu-system-x86 debootstrap
	@+$(MAKE) --no-print-directory CC=clang-14 SAN=1 FUZZ=1 O=build-fuzz fuzzers
	@+$(MAKE) --no-print-directory SAN=$(SAN) O=$(O) tests
	@tools/check/run_tests.pl --build $(O) selftests/soak
run: setup
	@+$(MAKE) --no-print-directory O=$(O) programs
	@KEEP=$(KEEP) NODES=$(NODES) tools/run/main_job.sh $(O)/bin
down:
	@tools/run/main_job.sh $(O)/bin down
bench: setup
	@tools/setup/install.sh iptables
	@+$(MAKE) --no-print-directory O=$(O) programs $(O)/selftests/tools/runtime_calls $(O)/selftests/tools/packet_bench $(O)/selftests/tools/sock_bench
	@tools/bench/api.sh $(O)/bin
	@tools/bench/service.sh $(O)/bin
	@tools/bench/proxy.sh $(O)/bin
	@tools/bench/socket.sh $(O)/bin
	@tools/bench/packet.sh $(O)/bin
	@tools/bench/bystander.sh $(O)/bin
	@tools/bench/cluster.sh $(O)/bin
	@tools/bench/node.sh $(O)/bin

install: $(bins)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(bins) $(DESTDIR)$(PREFIX)/bin

json_line = {"directory": "$(CURDIR)", "file": "$(2)", "command": "$(subst ",\",$(CC) $(CPPFLAGS) $(CFLAGS) $(CFLAGS_$(notdir $(1))) -c $(2))"}
comma := ,
compile_commands.json: FORCE
	$(file >$@,[$(foreach o,$(filter-out %.bpf.o %.pb-c.o,$(objs)),$(if $(filter $(o),$(firstword $(objs))),,$(comma))$(call json_line,$(o),$(patsubst $(O)/%.o,%.c,$(o))))])
	@echo '  GEN     $@'

clean:
	rm -rf build build-san build-fuzz compile_commands.json

.SECONDARY:
.DELETE_ON_ERROR:
