# SPDX-License-Identifier: BSD-2-Clause
# What an administrator does with a running engine, and its reports read by a MIME reader that is not ours.
exec env PYTHONDONTWRITEBYTECODE=1 python3 ci/tests/operation.py
