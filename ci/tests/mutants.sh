# SPDX-License-Identifier: BSD-2-Clause
# The judge bites: patches in ci/mutants/ make scenarios fail, each with the right sentence. Here the four that must
# always be caught and a sample of the others, another one each day; all of them: ci/mutation-check.
exec ci/mutation-check --sample 20 "${MUTANTS_SEED:-$(date -u +%Y%j)}"
