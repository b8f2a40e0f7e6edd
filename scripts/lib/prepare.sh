# What scripts/demo, scripts/test and scripts/bench share. Sourced, never run; the caller has set -euo pipefail and is
# in the root of the checkout.
# shellcheck shell=bash

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # bpftool and ip live there, and not every root shell looks

# All that comes before the work: root, kernel, packages, build.
prepare() { # [ARGUMENTS OF scripts/setup]
    need_root
    need_kernel
    scripts/setup "$@"
    need_bpf
    build
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

need_root() {
    ((EUID == 0)) || die "needs root to load BPF programs; run: sudo $0"
}

# Before anything is installed: what no package can bring.
need_kernel() {
    [[ $(uname -s) == Linux ]] || die "runs on Linux only"
    [[ -r /sys/kernel/btf/vmlinux ]] ||
        die "this kernel has no BTF (/sys/kernel/btf/vmlinux); it needs one built with CONFIG_DEBUG_INFO_BTF=y"
    [[ -e /proc/sys/kernel/unprivileged_bpf_disabled ]] ||
        die "this kernel has no bpf() system call; it needs one built with CONFIG_BPF_SYSCALL=y"
}

# After the setup: what only an attempt can tell. A container's root may still be refused.
need_bpf() {
    local said
    said=$(bpftool prog show 2>&1) || {
        said=${said##*$'\n'}
        die "the bpf() system call is refused here (${said#Error: }); run it on the host, or with CAP_BPF and CAP_PERFMON"
    }
    mount_if_missing tracefs /sys/kernel/tracing
    mount_if_missing bpf /sys/fs/bpf
}

mount_if_missing() { # TYPE DIRECTORY
    grep -q " $2 $1 " /proc/self/mounts && return
    mount -t "$1" "$1" "$2" 2>/dev/null || printf '%s: note: could not mount %s on %s\n' "${0##*/}" "$1" "$2" >&2
}

# Builds build/ by the release preset, as the owner of the checkout rather than as root, so that he can go on there.
build() {
    local log owner as=()
    owner=$(stat -c %U .)
    if [[ $owner != root && $owner != UNKNOWN && (! -e build || $(stat -c %U build) == "$owner") ]]; then
        as=(runuser -u "$owner" --)
    fi
    log=$(mktemp /tmp/waitclose-build.XXXXXX)
    printf 'building ... ' >&2
    local began=$SECONDS
    if "${as[@]}" cmake --preset release >"$log" 2>&1 && "${as[@]}" cmake --build build >>"$log" 2>&1; then
        printf 'done in %d s\n' $((SECONDS - began)) >&2
        rm -f "$log"
        return
    fi
    printf 'failed\n' >&2
    grep -n -A 40 -m 1 -E '^(FAILED:|CMake Error|ninja: error)' "$log" >&2 || tail -n 40 "$log" >&2
    die "the build failed; all of its output is in $log"
}
