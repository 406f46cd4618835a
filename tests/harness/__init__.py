# SPDX-License-Identifier: Apache-2.0
"""What the test suites share: programs, networks, API servers, waiting."""
