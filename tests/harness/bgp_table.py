# SPDX-License-Identifier: Apache-2.0
"""A table of features against makes of routers, which a run prints."""
from harness.bgp import KINDS

TABLE = {}


def note(feature, kind, outcome="ok"):
    """The feature was seen to work with that make."""
    TABLE.setdefault(feature, {})[kind] = outcome


def show_table(request, title):
    """Prints what was noted, "-" for what was not, and begins anew."""
    lines = [title, f"{'':24}" + "".join(f"{kind:>10}" for kind in KINDS)]
    lines += [f"{feature:24}" + "".join(f"{TABLE[feature].get(kind, '-'):>10}" for kind in KINDS) for feature in TABLE]
    TABLE.clear()
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line("\n" + "\n".join(lines))
    else:
        print("\n".join(lines))
