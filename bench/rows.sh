# rows.sh: what the benchmarks share, to be sourced first of all by bench/PART/run.
#
# A part prints rows for bench/table, which bench/run collects from all parts.  Run alone, a part prints its own
# table.  Progress and errors go to stderr.
#
# shellcheck shell=bash
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
if [ -z "${BENCH_ROWS:-}" ]; then
	BENCH_ROWS=1 "$0" "$@" | bench/table
	exit
fi

data=${MREN_TEST_DATA:-$root/../shared/data}
[ ! -d "$data" ] || data=$(cd "$data" && pwd)
export data
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-1}
cache=$root/build/bench
build=$here/build
blas=/usr/lib/$(gcc -print-multiarch)/openblas-serial
python=/usr/bin/python3
mkdir -p "$cache" "$build"

# What PyTorch and NumPy need to be at their best on one thread: the same OpenBLAS, which Debian's take from where they
# find libblas.so.3, with the kernels of this processor, and an allocator that does not return memory after each step.
peer() {
	env -u OPENBLAS_CORETYPE LD_LIBRARY_PATH="$blas" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
		MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=4000000000 "$@"
}

# row WORK PEER UNIT AIM OURS PEERS [NOTE]: one row of the table.
#
# UNIT is ms, "us a row" or s, where less is better, or ends in /s.  OURS and PEERS are the figures of each round.  AIM is how
# many times as fast as the peer it should be, or <=N for our own figure; empty: there is none.
row() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$(tr '\n' ' ' <<<"$5")" "$(tr '\n' ' ' <<<"$6")" "${7:-}"
}

# Says why there is no figure of a peer, or none at all.
missing() { # work, peer, reason
	printf '%s\t%s\t\t\t\t\t%s\n' "$1" "$2" "$3"
}

has_python() { # module
	"$python" -c "import $1" 2>/dev/null
}

# ---- a private server ----

server=
start_server() { # settings
	server=$(mktemp -d /tmp/mren-bench.XXXXXX)
	trap '"$root/tools/server" remove "$server" >/dev/null 2>&1 || rm -rf "$server"' EXIT
	MREN_SERVER_ENV="LD_LIBRARY_PATH=$blas OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=4000000000 ${MREN_SERVER_ENV:-}" \
		tools/server start "$server" "shared_buffers = '256MB'" "jit = off" "max_parallel_workers_per_gather = 0" "max_parallel_maintenance_workers = 0" \
		"max_wal_size = '4GB'" "$@" >"$cache/server.log" 2>&1 || { cat "$cache/server.log" >&2; exit 1; }
	mkdir -p "$server/files"
	chmod 755 "$server/files"
}

sql() {
	tools/server psql "$server" -qAtX -v ON_ERROR_STOP=1 "$@"
}

# Milliseconds of processor time that a statement takes in a backend that has run it before.
spent="SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)"
backend_time() { # statement, options of psql
	local statement=$1
	shift
	sql "$@" -o /dev/null -c "$statement" -c "\\o" -c "$spent" -c "\\o /dev/null" -c "$statement" -c "\\o" -c "$spent" |
		awk 'NR == 1 { a = $1 } NR == 2 { printf "%.3f\n", ($1 - a) / 1e6 }'
}
