# SPDX-License-Identifier: BSD-2-Clause
# The same scenarios with Exim from the distribution's package: installed, or else unpacked beside our programs, because it
# cannot be installed beside Postfix. It has no MTA-STS.
. ci/lib.sh
[ -x build/exim/exim4 ] || PATH=$PATH:/usr/sbin command -v exim4 >/dev/null || ci/bring-exim build/exim ||
    { left_out exim "not installed, and not to be had from the package archive"; exit; }
foreign_mta exim --mode mta-sts=none
