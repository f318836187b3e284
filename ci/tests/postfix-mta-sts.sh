# SPDX-License-Identifier: BSD-2-Clause
# The same with the policy server of postfix-mta-sts-resolver beside Postfix, in the modes that this adds.
. ci/lib.sh
[ "$(id -u)" = 0 ] || { left_out postfix-mta-sts "needs root, for it changes users"; exit; }
foreign_mta postfix-mta-sts --mode mta-sts=opportunistic
