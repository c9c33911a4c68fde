# U-Boot's script: which slot, and off.
#
# state.txt on the FAT: slot=a|b, known to be good; try=a|b, booted once: the line is taken away before that boot, so
# that whatever happens the next one is the good slot's again. A normal boot writes nothing.
# kargs.txt: kargs=further arguments of the kernel; uwdt=1: the watchdog runs from here on, before the kernel.
# A slot whose files cannot be read or are not what their sums say is passed over: the other one is booted.
#
# Addresses: the unpacked kernel at 2 MiB; all else beyond 256 MiB, where a 512 MiB board still has memory.
setenv kernel_at 0x00200000
setenv text_at 0x11f00000
setenv sum_at 0x11f80000
setenv packed_at 0x10000000
setenv root_at 0x12000000
test -n "${dev}" || setenv dev 0

setenv slot a
setenv try
setenv kargs
setenv uwdt
if load mmc ${dev}:1 ${text_at} state.txt; then env import -tr ${text_at} ${filesize} slot try; fi
if load mmc ${dev}:1 ${text_at} kargs.txt; then env import -tr ${text_at} ${filesize} kargs uwdt; fi
if test "${slot}" != a && test "${slot}" != b; then setenv slot a; fi
setenv use ${slot}
setenv trial 0
if test "${try}" = a || test "${try}" = b; then
	setenv use ${try}
	setenv trial 1
	setenv try
	env export -t ${text_at} slot
	# Read again: a card that is worn out takes what is written and forgets it.
	setenv try x
	if fatwrite mmc ${dev}:1 ${text_at} state.txt ${filesize} && load mmc ${dev}:1 ${text_at} state.txt; then
		setenv try
		env import -tr ${text_at} ${filesize} try
	fi
	if test -n "${try}"; then
		echo scorebox: state.txt cannot be written, no trial
		setenv use ${slot}
		setenv trial 0
	fi
fi

# The sums (4 bytes each: kernel, root) are compared in memory.
setenv boot_slot 'setenv part 2; if test "${use}" = b; then setenv part 3; fi
echo scorebox: slot ${use} trial ${trial}
if load mmc ${dev}:${part} ${sum_at} sums && load mmc ${dev}:${part} ${packed_at} vmlinuz.gz; then
	crc32 ${packed_at} ${filesize} 0x11f90000
	if cmp.b ${sum_at} 0x11f90000 4 && unzip ${packed_at} ${kernel_at}; then
		setexpr root_sum_at ${sum_at} + 4
		if load mmc ${dev}:${part} ${root_at} root.zst; then
			setenv root_size ${filesize}
			crc32 ${root_at} ${root_size} 0x11f90000
			if cmp.b ${root_sum_at} 0x11f90000 4; then
				setenv bootargs "console=tty0 console=ttyS1,115200 panic=10 quiet loglevel=4 transparent_hugepage=never apparmor=0 selinux=0 audit=0 cryptomgr.notests watchdog.open_timeout=3600 scorebox.slot=${use} scorebox.trial=${trial} ${kargs}"
				run arm_watchdog
				booti ${kernel_at} ${root_at}:${root_size} ${fdtcontroladdr}
			fi
		fi
	fi
fi
echo scorebox: slot ${use} cannot be booted'

# The power management block's watchdog, 16 s; the kernel takes it over, and feeds it by itself until the supervisor
# opens it: for watchdog.open_timeout and no longer, so that a start that hangs is reset as well.
setenv arm_watchdog 'if test "${uwdt}" = 1; then
	setenv pm
	if test "${board_name}" = "3 Model B" || test "${board_name}" = "3 Model B+" || test "${board_name}" = "Zero 2 W"; then setenv pm 3f100; fi
	if test "${board_name}" = "4 Model B"; then setenv pm fe100; fi
	if test -n "${pm}"; then mw.l 0x${pm}024 0x5a0fffff; mw.l 0x${pm}01c 0x5a000020; fi
fi'

run boot_slot
# A trial that cannot even be loaded is over: the good slot. A good slot that has rotted: the other one.
if test "${trial}" = 1; then
	setenv use ${slot}
else
	if test "${use}" = a; then setenv use b; else setenv use a; fi
fi
setenv trial 0
run boot_slot
echo scorebox: no slot can be booted, again in 10 s
sleep 10
reset
