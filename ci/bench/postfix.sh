# SPDX-License-Identifier: BSD-2-Clause
# An instance of Postfix of its own in $dir, for the measurements beside it. Needs root.

# instance NAME ADDRESS PORT HOSTNAME: runs, with its queue in $dir/NAME; the rest of main.cf comes on standard input.
instance() {
    mkdir -p "$dir/$1/etc" "$dir/$1/queue" "$dir/$1/data"
    chown postfix "$dir/$1/data"
    (cd "$dir/$1/queue" && mkdir -p active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace pid &&
        chown postfix active bounce corrupt defer deferred flush hold incoming private saved trace &&
        chown postfix:postdrop public maildrop && chmod 710 public && chmod 730 maildrop && chmod 700 private)
    { cat <<END
config_directory = $dir/$1/etc
queue_directory = $dir/$1/queue
data_directory = $dir/$1/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = $4
inet_interfaces = $2
inet_protocols = ipv4
maillog_file = $dir/$1/log
maillog_file_prefixes = $dir
mynetworks = 100.64.0.0/10 198.18.0.0/15
smtpd_relay_restrictions = permit_mynetworks, reject
mydestination =
alias_maps =
local_recipient_maps =
compatibility_level = 3.6
END
        cat; } >"$dir/$1/etc/main.cf"
    cat >"$dir/$1/etc/master.cf" <<END
$2:$3 inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
discard unix - - n - - discard
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
tlsproxy unix - - n - 0 tlsproxy
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
END
    touch -d '1 hour ago' "$dir/$1/etc/main.cf" "$dir/$1/etc/master.cf" # a younger one makes every program sleep a second
    /usr/lib/postfix/sbin/master -c "$dir/$1/etc" -d 2>/dev/null &
}
