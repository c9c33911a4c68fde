# Shared by `roots` and `boot`: clean Debian roots, made once, by debootstrap from this machine's own Debian mirror.
# shellcheck shell=sh
# shellcheck disable=SC2034 # used by those who read this
top=$(cd "$(dirname "$0")/../.." && pwd)
roots=$top/build/roots

say() {
	printf '%s\n' "$*"
}

skip() {
	say "SKIPPED: $*"
	exit 77
}

# The main archive that apt uses here.
mirror() {
	# shellcheck disable=SC2016 # for apt to expand
	apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)' 'Created-By: Packages' |
		sed -n '/security/d; s/^Debian|//p' | head -n 1
}

# within ARCH FOLDER COMMAND...: in that root, with this machine's devices. The mounts end with their namespace.
within() {
	architecture=$1
	shift
	# shellcheck disable=SC2016 # expanded inside
	set -- sh -ec '
		cd "$1"
		shift
		for folder in proc dev sys; do mount --rbind "/$folder" "$folder"; done
		exec chroot . "$@"' sh "$@"
	if [ "$architecture" = "$(dpkg --print-architecture)" ]; then
		unshare --mount --propagation slave "$@"
	else
		"$top/toolchains/emulate" "$architecture" "$@"
	fi
}

unmade() {
	skip "debootstrap failed: $(tail -n 1 "$1.log"); see $1.log"
}

# make_root SUITE ARCH: a minbase root, whole once it has its name. Another processor's programs run in a second
# step, for which `container` says that devices cannot be made.
make_root() {
	root=$roots/$1-$2
	[ ! -e "$root" ] || return 0
	command -v debootstrap >/dev/null || skip "no debootstrap: apt-get install debootstrap"
	say "Making a clean $1 root for $2, once"
	rm -rf "$root.unfinished"
	mkdir -p "$roots"
	foreign=
	[ "$2" = "$(dpkg --print-architecture)" ] || foreign=--foreign
	# shellcheck disable=SC2086 # one word or none
	debootstrap --variant=minbase --arch="$2" $foreign "$1" "$root.unfinished" "$(mirror)" >"$root.log" 2>&1 || unmade "$root"
	if [ -n "$foreign" ]; then
		within "$2" "$root.unfinished" env container=lxc /debootstrap/debootstrap --second-stage >>"$root.log" 2>&1 ||
			unmade "$root"
	fi
	mv "$root.unfinished" "$root"
}

# next_version DEB NEW: the same package again, one version on, with one more line in its settings.
next_version() {
	work=$(mktemp -d)
	dpkg-deb -R "$1" "$work/tree"
	sed -i 's/^Version: .*/&+1/' "$work/tree/DEBIAN/control"
	echo '# a line of the next version' >>"$work/tree/etc/default/scorebox"
	dpkg-deb --root-owner-group -b "$work/tree" "$2" >/dev/null
	rm -rf "$work"
}
