#!/bin/sh
# Installs ccache with the image's own package manager, unless there is one already. Warmwheel runs
# it in front of a package's before-all where no other ccache is to be had.

PINNED="the pinned one (--ccache pinned)"

there() {
    command -v "$1" >/dev/null 2>&1
}

# A refusal in one line, also for the host, which reads it from the record folder. No quotes in it.
refuse() {
    echo "warmwheel: $1" >&2
    if [ -d "${WARMWHEEL_RECORD_DIR:-}" ]; then
        printf '{"schema": 1, "lack": "ccache", "cause": "%s", "remedy": "%s"}\n' "$1" "$2" \
            >"$WARMWHEEL_RECORD_DIR/preflight.json"
    fi
    exit 1
}

install() {
    case $1 in
    apk) apk add --no-cache ccache ;;
    apt-get)
        apt-get update &&
            DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ccache
        ;;
    *)
        # On RHEL and its kin ccache is in EPEL, which only the next transaction sees. Others have
        # ccache itself and no EPEL.
        "$1" -y install epel-release || echo "warmwheel: going on without EPEL" >&2
        "$1" -y install ccache
        ;;
    esac
}

if there ccache; then
    exit 0
fi
for manager in apk dnf microdnf yum apt-get none; do
    if there "$manager"; then
        break
    fi
done
if [ "$manager" = none ]; then
    refuse "the image has neither ccache nor a known package manager (apk, dnf, yum, apt-get)" \
        "take an image that has ccache, install it in before-all, or use $PINNED"
fi
echo "warmwheel: installing ccache with $manager"
if ! install "$manager"; then
    refuse "ccache could not be installed in the image with $manager" \
        "see what $manager says in the log, take an image that has ccache, or use $PINNED"
fi
if ! there ccache; then
    refuse "$manager has installed ccache, but there is none on PATH" \
        "put its folder into PATH in the environment setting, or use $PINNED"
fi
