# SPDX-License-Identifier: BSD-2-Clause
# The same scenarios with Postfix from the distribution's package.
. ci/lib.sh
[ "$(id -u)" = 0 ] || { left_out postfix "needs root, for it changes users"; exit; }
foreign_mta postfix
