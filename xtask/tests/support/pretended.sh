#!/bin/sh
# Stands in for the Python that has cibuildwheel. A build does what $PRETEND says, a shell fragment
# that may use the functions below; anything else goes to the real one.
case "$*" in
"-m cibuildwheel --only "*) ids=$4 ;;
"-m cibuildwheel --platform "*) ids=$CIBW_BUILD ;;
*) exec "$REAL_PYTHON" "$@" ;;
esac
out=$6

# The host's folder that a container would see at $1.
mounted() {
    printf '%s\n' "$CIBW_CONTAINER_ENGINE_LINUX" | tr ' ' '\n' |
        sed -n "s|^'*--volume=\([^:]*\):$1[:;'].*|\1|p; s|^'*--volume=\([^:]*\):$1\$|\1|p" | head -n 1
}
record=$(mounted /warmwheel-build)
cache=$(mounted /host_ccache)
validator=$(mounted /warmwheel)/ccache-validator

# The environment that cibuildwheel would give to the build, with the host's folders.
enter() {
    eval "export $CIBW_ENVIRONMENT_LINUX"
    export CCACHE_DIR="$cache" CCACHE_STATSLOG="$record/statslog" CCACHE_BASEDIR="$PWD"
    export CCACHE_TEMPDIR="$record/tmp" WARMWHEEL_RECORD_DIR="$record"
    export CIBUILDWHEEL_BUILD_IDENTIFIER="$id"
}

step() { printf '\n%s...\n\n' "$1"; }

# Compiles a C file of the project through ccache.
compile() {
    step "Building wheel"
    ccache gcc -c "$1" -o "$record/object.o"
}

# Leaves a wheel for the identifier.
wheel() {
    python=${id%%-*}
    wheel="$out/pkg-1-$python-$python-manylinux_2_28_x86_64.whl"
    echo "wheel of $id" >"$wheel"
}

# Runs the hook as a test command would, on a wheel that is still inside the container.
hook() {
    step "Testing wheel"
    "$validator" seal
    mkdir -p "$record/inside"
    mv "$wheel" "$record/inside/"
    "$validator" validate --wheel "$record/inside/${wheel##*/}" || exit 1
}

copy_out() { mv "$record/inside/"*.whl "$out/"; }

# A wheel of the stable ABI: compiled and made for the first identifier of a process only, and copied
# out at the end of the process.
stable() {
    if [ -z "$made" ]; then
        compile pkg.c || exit 1
        echo "Successfully built pkg-1-cp39-abi3-linux_x86_64.whl"
        step "Repairing wheel"
        made=pkg-1-cp39-abi3-manylinux_2_28_x86_64.whl
        mkdir -p "$record/inside"
        echo "wheel of $id" >"$record/inside/$made"
    fi
    case " $CIBW_TEST_SKIP " in *" $id "*) return ;; esac
    step "Testing wheel"
    "$validator" seal
    "$validator" validate --wheel "$record/inside/$made" || exit 1
    compile tests.c
    case "$id" in "${failing:-none}"*) echo "tests of $id failed"; exit 1 ;; esac
    case "$ids" in *"$id") copy_out ;; esac
}

for id in $ids; do
    printf '\nBuilding %s wheel\n' "$id"
    enter
    eval "$PRETEND"
done
