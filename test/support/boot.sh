# The inner half of systemd.ts: a machine of its own, of which nothing is the real one's but its files, to read. $1 is a directory for what it needs.
set -eu
at=$1
# What is mounted from here on stays here; what is unmounted outside is unmounted here, too.
mount --make-rslave /
mount -t proc proc /proc
umount -l /sys/fs/cgroup
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p "$at/etc" "$at/dev" /run/lock
mount --bind "$at/etc" /etc/systemd/system
mount -t tmpfs -o mode=755 tmpfs "$at/dev"
mkdir "$at/dev/net" "$at/dev/pts" "$at/dev/shm"
for node in null zero full random urandom tty net/tun; do
  [ -e "/dev/$node" ] || continue
  : >"$at/dev/$node"
  mount --bind "/dev/$node" "$at/dev/$node"
done
mount -t tmpfs tmpfs "$at/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$at/dev/pts"
ln -s pts/ptmx "$at/dev/ptmx"
ln -s /proc/self/fd "$at/dev/fd"
mount --rbind "$at/dev" /dev
ip link set lo up
# A way out that leads nowhere.
ip link add eth0 type veth peer name far
ip link set far up
ip address add 192.0.2.1/24 dev eth0
ip link set eth0 up
ip route add default via 192.0.2.254
hostname perch-test
# Its own units alone, none of those that are enabled on this host.
export container=perch-test SYSTEMD_UNIT_PATH="/etc/systemd/system:/run/systemd/system:$at/units"
exec /lib/systemd/systemd --system --unit=multi-user.target --log-target=console --log-level=info --show-status=no
