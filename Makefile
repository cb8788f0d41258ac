# Makefile
#	  Builds the extension with PGXS, and starts everything else.
#
#	make                 build (names the apt line when a package is missing)
#	make install         install into the server that PG_CONFIG belongs to
#	make test            everything, installing what is missing first
#	make demo            a worked example in a private server; demo-stop ends it
#	make help            the other goals
#
# Warnings are errors; `make WERROR=` lets a newer compiler's pass.

# The version is not called VERSION, which PGXS uses for the server's own.
EXTENSION  = mren
MODULE_big = mren
mren_version := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" mren.control)
PG_CONFIG ?= pg_config
WERROR    ?= -Werror

# Goals that bring what they need themselves, so that each can be the first
# command on a machine that has nothing.  They must not read PGXS.
standalone = help setup test test-checks test-unit test-sql test-isolation test-tap test-asan \
             check-format format sanitize fuzz demo demo-stop bench bench-accuracy

ifeq ($(filter-out $(standalone),$(or $(MAKECMDGOALS),all)),)

help:
	@sed -n 's/^#	\(make .*\)/\1/p' Makefile
	@sed -n 's/^\([a-z-]*\): *## \(.*\)/make \1@\2/p' Makefile | awk -F@ '{ printf "%-21s%s\n", $$1, $$2 }'

setup: ## install the packages that are missing
	tools/setup

test: ## checks, unit, SQL, isolation and TAP tests, sanitizers
	@tools/test

test-checks: ## formatting, includes, symbols, versions, SQL texts
	@tools/test checks $(TESTS)

test-unit: ## the core's tests, without a server
	@tools/test unit $(TESTS)

test-sql: ## pg_regress; TESTS="010_text 020_image" picks some
	@tools/test sql $(TESTS)

test-isolation: ## two sessions at once; TESTS= picks some
	@tools/test isolation $(TESTS)

test-tap: ## whole servers: dump, standby, kill; TESTS= picks some
	@tools/test tap $(TESTS)

test-asan: ## pg_regress in a server under AddressSanitizer
	@tools/test asan $(TESTS)

sanitize: ## the core's tests under ASan and UBSan
	@tools/test sanitize $(TESTS)

fuzz: ## every fuzz target for SECONDS seconds (60)
	@tools/setup fuzz
	@$(MAKE) -C test/fuzz run SECONDS=$(or $(SECONDS),60)

check-format: ## what clang-format would change
	@tools/check-format

format: ## let clang-format change it
	@tools/check-format --fix

demo: ## a worked example on real text and pictures
	@tools/demo/run

demo-stop: ## end the demo's server
	@tools/demo/stop

bench: ## peers side by side, in one run
	@if [ -x bench/run ]; then bench/run; else echo "there is no bench/run yet"; fi

bench-accuracy: ## figures on published sets; SETS="semeval vrd" SEEDS=1, or TRAIN= TEST= FORMAT=
	@bench/accuracy/run $(SETS)

.PHONY: $(standalone)

else

# ---- what the build needs, and what to say when it is not there -------------

packages = libpng libjpeg icu-uc libprotobuf-c
# (xxHash is used from its header alone.)
missing := $(if $(shell command -v $(PG_CONFIG)),,pg_config)
ifeq ($(missing),)
missing := $(if $(wildcard $(shell $(PG_CONFIG) --includedir-server)/postgres.h),,postgres.h)
PGXS    := $(shell $(PG_CONFIG) --pgxs)
endif
missing += $(if $(shell command -v protoc-c),,protoc-c)
ifeq ($(shell command -v pkg-config),)
missing += pkg-config
else
missing += $(foreach p,$(packages) libxxhash,$(if $(shell pkg-config --exists $(p) && echo y),,$(p)))
endif

# OpenBLAS's serial build: the threaded one starts a thread inside the backend
# when it is loaded, and PostgreSQL's signal handlers can then run in it.
arch    := $(shell $(CC) -print-multiarch 2>/dev/null)
blaslib := $(firstword $(wildcard /usr/lib/$(arch)/openblas-serial /usr/lib64/openblas-serial))
blasinc := $(firstword $(wildcard /usr/include/$(arch)/openblas-serial /usr/include/openblas))
ifneq ($(blaslib),)
BLAS_CPPFLAGS ?= -I$(blasinc)
BLAS_LIBS     ?= -L$(blaslib) -Wl,-rpath,$(blaslib) -lopenblas
else ifeq ($(BLAS_LIBS),)
missing += openblas-serial
endif

ifneq ($(strip $(missing)),)
ifeq ($(filter clean distclean,$(MAKECMDGOALS)),)
$(error the build needs: $(strip $(missing)). On Debian: apt-get update && apt-get install -y --no-install-recommends $(shell tools/setup --list build))
endif
endif

# ---- the library ------------------------------------------------------------

sources      := $(sort $(wildcard src/*/*.c src/*/*/*.c))
pg_sources   := $(filter src/pg/%,$(sources))
core_sources := $(filter-out $(pg_sources),$(sources))
protos       := $(sort $(wildcard src/onnx/model/*.proto))
gen_sources  := $(protos:src/%.proto=build/gen/%.pb-c.c)

core_objects := $(core_sources:.c=.o)
pg_objects   := $(pg_sources:.c=.o)
gen_objects  := $(gen_sources:.c=.o)
OBJS          = $(core_objects) $(gen_objects) $(pg_objects)

PG_CPPFLAGS = -Isrc -Ibuild/gen $(BLAS_CPPFLAGS) $(shell pkg-config --cflags $(packages) libxxhash) \
              -DMREN_VERSION='"$(mren_version)"'
PG_CFLAGS   = -std=gnu11 -Wno-declaration-after-statement -MMD -MP $(WERROR)
SHLIB_LINK  = $(BLAS_LIBS) $(shell pkg-config --libs $(packages)) -lm -Wl,--version-script=build/mren.map

# The server's headers do not bear -Wextra's every warning.  That an output is
# set whenever the status is MREN_OK is beyond gcc's flow analysis.
$(core_objects): OBJ_CFLAGS = -fvisibility=hidden -Wextra -Wshadow -Wstrict-prototypes -Wno-missing-field-initializers \
                           -Wno-missing-format-attribute -Wno-maybe-uninitialized
$(pg_objects): OBJ_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare \
                           -Wno-missing-field-initializers -Wno-cast-function-type \
                           -Wno-maybe-uninitialized
$(gen_objects):  OBJ_CFLAGS = -Wno-error
# The kernels gain from unrolled and vectorised loops, the rest does not.
$(filter-out src/base/%.o src/text/%.o,$(core_objects)): OBJ_CFLAGS += -O3
$(OBJS): override CFLAGS += $(OBJ_CFLAGS)

# Scripts of released versions stay as they were; those of this one, and of the
# way to it, are joined from parts.
updates    = $(patsubst sql/updates/%,sql/mren--%,$(sort $(wildcard sql/updates/*.sql)))
DATA       = $(sort $(wildcard sql/released/mren--*.sql))
DATA_built = sql/mren--$(mren_version).sql $(updates)

EXTRA_CLEAN = build test/unit/build test/unit/build-sanitize test/fuzz/build \
              $(wildcard sql/mren--*.sql) $(wildcard src/*/*.[do] src/*/*/*.[do]) \
              results regression.diffs regression.out output_iso

# `make installcheck`, for whoever packages this; `make test` runs each file in
# a database of its own instead.
REGRESS        = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test --load-extension=mren $(expecteddir)
ISOLATION      = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=mren $(expecteddir)
expecteddir    = $(if $(filter 14 15,$(MAJORVERSION)),,--expecteddir=.)

# Where the server was built with LLVM, PGXS would also compile bitcode.  It
# would only be used to inline bodies into expressions, and bodies that call
# symbols the library does not export cannot be.
override with_llvm := no

ifneq ($(PGXS),)
include $(PGXS)
endif

$(gen_sources): build/gen/%.pb-c.c: src/%.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=src --c_out=build/gen $<

$(core_objects) $(pg_objects): | $(gen_sources)

# Only what SQL calls is exported: each pg_finfo_X that PG_FUNCTION_INFO_V1
# made, and its X.
build/mren.map: $(pg_objects)
	@mkdir -p $(@D)
	nm -g --defined-only $(pg_objects) /dev/null 2>/dev/null | tools/export-map >$@

mren.so: build/mren.map

sql/mren--$(mren_version).sql: $(sort $(wildcard sql/parts/*.sql)) mren.control tools/join-sql
	tools/join-sql $(sort $(wildcard sql/parts/*.sql)) >$@.tmp
	@mv $@.tmp $@

$(updates): sql/mren--%: sql/updates/% $(sort $(wildcard sql/parts/*.sql)) tools/join-sql
	tools/join-sql --update $< >$@.tmp
	@mv $@.tmp $@

-include $(OBJS:.o=.d)

endif
