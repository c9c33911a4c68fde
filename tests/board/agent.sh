#!/bin/sh
# In the guest, for the tests alone: runs each line that comes over the serial port, "NUMBER COMMAND in base64", and
# answers "NUMBER EXIT-CODE BYTES" and what the command printed.
export PATH=/bin:/sbin
modprobe -q virtio_console
port=
until [ -c "$port" ]; do
	for port in /dev/vport*p*; do
		[ ! -c "$port" ] || break
	done
	usleep 100000
done
exec 3<>"$port"
out=/tmp/test-agent.out
while :; do
	# Nobody is at the other end: that reads as the end of a file.
	if ! read -r number text <&3; then
		usleep 100000
		continue
	fi
	echo "$text" | base64 -d >/tmp/test-agent.in
	sh /tmp/test-agent.in >"$out" 2>&1 </dev/null 3<&-
	code=$?
	{ echo "$number $code $(wc -c <"$out")" && cat "$out"; } >&3
done
