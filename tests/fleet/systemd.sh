#!/bin/bash
# Boots systemd as the first process of namespaces of its own, with the units of examples/fleet/systemd, and lets it run both
# services. What it changes lies in a tmpfs over this machine's files; /proc/sys and /sys are read-only.
#
# Arguments: the program, the directory of the units, and an empty directory. Prints what systemd says of the services, and
# what they wrote. Exit status 77, with the reason, where such a systemd cannot be started here.
set -euo pipefail
program=$(realpath "$1") units=$(realpath "$2") place=$(realpath "$3")

cannot() {
    echo "$1"
    exit 77
}

((EUID == 0)) || cannot "only root can boot a systemd"
[[ -x /usr/lib/systemd/systemd ]] || cannot "systemd is not installed"
mkfifo "$place/report"
cat >"$place/boot" <<'BOOT'
set -euo pipefail
place=$1 program=$2 units=$3
mount --make-rprivate /
mkdir "$place/changes"
mount -t tmpfs changes "$place/changes"
mkdir "$place/changes/upper" "$place/changes/work" "$place/root"
mount -t overlay -o "lowerdir=/,upperdir=$place/changes/upper,workdir=$place/changes/work" overlay "$place/root"
cd "$place/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
for directory in run tmp dev; do
    mount -t tmpfs -o mode=755 tmpfs "$directory"
done
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
touch dev/console
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mkdir -p oldroot var/lib/prometheus/node-exporter
rm -rf var/lib/sockstat
# Above what a package may have installed, and no unit of this machine but these.
mkdir run/systemd run/systemd/system
cp "$units"/* run/systemd/system
cp "$program" usr/bin/sockstat
mkfifo run/report
mount --bind "$place/report" run/report
cat >run/systemd/system/boot.target <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=report.service
UNIT
cat >run/systemd/system/report.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
StandardOutput=null
ExecStart=/bin/bash -c '{ \
    for run in 1 2; do \
        systemctl start --job-mode=ignore-dependencies sockstat-metrics.service sockstat-snapshot.service; \
    done; \
    systemctl start --job-mode=ignore-dependencies sockstat-metrics.timer sockstat-snapshot.timer; \
    for unit in sockstat-{metrics,snapshot}.{service,timer}; do \
        systemctl show --property=Id,ActiveState,Result,ExecMainStatus $unit; \
    done; \
    stat --format="%%n %%a %%U" /var/lib/sockstat /var/lib/sockstat/* /var/lib/prometheus/node-exporter/sockstat.prom; \
    grep "^sockstat_build_info" /var/lib/prometheus/node-exporter/sockstat.prom; \
    grep --count "\\"schema\\":" /var/lib/sockstat/snapshots.jsonl; \
    tail --lines=1 /var/lib/sockstat/snapshots.jsonl; \
} >/run/report 2>&1'
UNIT
ip link set lo up
pivot_root . oldroot
umount --lazy oldroot
exec env -i container=sockstat-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --system --unit=boot.target --log-target=null
BOOT
# The report needs a writer: systemd may never come up.
exec 3<>"$place/report"
unshare --mount --pid --fork --kill-child --uts --ipc --cgroup --net bash "$place/boot" "$place" "$program" "$units" \
    >"$place/log" 2>&1 3>&- &
booted=$!
{
    tail --pid="$booted" --follow /dev/null
    echo ended >&3
} &
watching=$!
while IFS= read -r line <&3; do
    [[ $line != ended ]] || cannot "no systemd in namespaces: $(tail --lines=1 "$place/log")"
    printf '%s\n' "$line"
    case $line in
        *'"schema":"sockstat-snapshot/1"'* | tail:*) break ;;
    esac
done
# Without its parent, the first process of a pid namespace is killed, and with it all others.
kill -KILL "$booted" "$watching"
{ wait || true; } 2>/dev/null
