# SPDX-License-Identifier: BSD-2-Clause
# The judge bites: every patch in ci/mutants/ makes scenarios fail, each with the right sentence.
exec ci/mutation-check
