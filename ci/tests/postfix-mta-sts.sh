# SPDX-License-Identifier: BSD-2-Clause
# The same with the policy server of postfix-mta-sts-resolver beside Postfix, in the modes that this adds.
. ci/lib.sh
foreign_mta postfix-mta-sts --mode mta-sts=opportunistic
