# SPDX-License-Identifier: BSD-2-Clause
# The same scenarios with Postfix from the distribution's package.
. ci/lib.sh
foreign_mta postfix
