#!/usr/bin/env bash
# Try the committed tree as a new user meets it: in an empty Debian with python3, python3-venv, make and git alone.
#
#   sudo tools/bare-machine.sh bookworm make demo        (Debian 12; trixie is Debian 13)
#   sudo tools/bare-machine.sh bookworm make test
#   USER_IN_ROOT=guest sudo -E tools/bare-machine.sh bookworm make demo      (as someone who is not root)
#
# Needs debootstrap. Every run starts from a fresh copy of the root and a fresh clone of the commit that is checked out.
set -euo pipefail
suite=$1; shift
project=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
roots=${KENSOKU_ROOTS:-$project/.cache/roots}
pristine=$roots/$suite root=$roots/$suite-$$
who=${USER_IN_ROOT:-root}

mkdir -p "$roots"
if [ ! -e "$pristine/.complete" ]; then
    rm -rf "$pristine"
    debootstrap --variant=minbase --include=python3,python3-venv,make,git,ca-certificates "$suite" "$pristine"
    touch "$pristine/.complete"
fi
trap 'rm -rf "$root"' EXIT
cp -a "$pristine" "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf"
if compgen -G '/usr/local/share/ca-certificates/*.crt' > /dev/null; then  # a network behind its own authority
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
    chroot "$root" update-ca-certificates > /dev/null 2>&1
    certificates=/etc/ssl/certs/ca-certificates.crt
fi
[ "$who" = root ] || chroot "$root" useradd --create-home "$who"
home=$(chroot "$root" sh -c "echo ~$who")
git clone --quiet "$project" "$root$home/kensoku"
chroot "$root" chown -R "$who:" "$home/kensoku"

# Own mount and process namespaces: nothing is left mounted or running when the command ends.
unshare --mount --pid --fork --kill-child bash -euc '
    root=$1 who=$2 home=$3 certificates=$4; shift 4
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm" 2> /dev/null || true
    run=(env -i HOME="$home" USER="$who" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 TERM="${TERM:-dumb}")
    [ -z "$certificates" ] || run+=(PIP_CERT="$certificates" SSL_CERT_FILE="$certificates" REQUESTS_CA_BUNDLE="$certificates")
    [ -z "${CI:-}" ] || run+=(CI="$CI")
    exec chroot --userspec="$who:$who" "$root" "${run[@]}" bash -c "cd ~/kensoku && exec \"\$@\"" bash "$@"
' bash "$root" "$who" "$home" "${certificates:-}" "$@"
