# SPDX-License-Identifier: BSD-2-Clause
# Layers, house rules and layout of the sources.
. ci/lib.sh
make -s lint && counted 1 0 0
